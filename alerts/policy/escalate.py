"""The stage that escalates: who else is told if nobody acknowledges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alerts.policy.route import branches
from core.episode import Episode
from core.policy import Group, Policy, Route


class Escalation(NamedTuple):
    """A route whose time is over at `at`: its place, and its episodes of the group that nobody has acknowledged."""

    path: str
    route: Route
    at: int
    episodes: tuple[Episode, ...]


def escalations(policy: Policy, group: Group, members: Sequence[Episode], acknowledged: frozenset[str]) -> list[Escalation]:
    """The escalations of a group that are still to come or due: by route, once a group, as long as one of its episodes is open and not acknowledged."""
    if group.first_told is None:
        return []
    found: Mapping[str, tuple[Route, list[Episode]]] = {}
    for episode in members:
        for path, route in branches(policy, episode):
            if (
                route.escalate_after is not None
                and path not in group.escalated
                and episode.id in group.told
                and episode.id not in acknowledged
            ):
                found = {**found, path: (route, [*found.get(path, (route, []))[1], episode])}
    return [
        Escalation(path, route, group.first_told + (route.escalate_after or 0), tuple(episodes))
        for path, (route, episodes) in sorted(found.items())
    ]
