"""The stage that escalates: who else is told if nobody acknowledges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerts.policy.route import branches
from core.episode import Episode
from core.policy import Group, Policy, Route


class Escalation(NamedTuple):
    """A route with its place: its episodes of a group whose time is over, and when that of the next one is (None: of none)."""

    path: str
    route: Route
    episodes: tuple[Episode, ...]
    until: int | None


def escalations(policy: Policy, group: Group, members: Sequence[Episode], acknowledged: frozenset[str], now: int) -> list[Escalation]:
    """The escalations of a group that are due or still to come, by route. Each episode has its own time, from its first notice on, and escalates once a route, unless somebody acknowledges it."""
    over = {path: frozenset(names) for path, names in group.escalated.items()}
    waiting: dict[str, tuple[Route, list[tuple[int, Episode]]]] = {}
    for episode in members:
        if episode.id in acknowledged or episode.id not in group.since:
            continue
        for path, route in branches(policy, episode):
            if route.escalate_after is not None and episode.id not in over.get(path, ()):
                waiting.setdefault(path, (route, []))[1].append((group.since[episode.id] + route.escalate_after, episode))
    return [
        Escalation(
            path,
            route,
            tuple(episode for at, episode in times if at <= now),
            min((at for at, _ in times if at > now), default=None),
        )
        for path, (route, times) in sorted(waiting.items())
    ]
