"""The stage that says where an episode goes: the tree of routes, then what each destination takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from alerts.policy.match import matches
from core.destination import Destination
from core.episode import Episode
from core.policy import Policy, Route


class Branch(NamedTuple):
    """A route that an episode takes, and its place in the tree: `0.1` is the second route below the first."""

    path: str
    route: Route


def branches(policy: Policy, episode: Episode) -> list[Branch]:
    """The routes that an episode takes, each the deepest of its branch that matches."""
    return list(_walk(policy.routes, episode, ""))


def _walk(routes: Sequence[Route], episode: Episode, above: str) -> Iterator[Branch]:
    for place, route in enumerate(routes):
        if not matches(route.match, episode):
            continue
        path = f"{above}{place}"
        below = list(_walk(route.routes, episode, f"{path}."))
        yield from below or [Branch(path, route)]
        if not route.goes_on:
            return


def reached(policy: Policy, episode: Episode, destinations: Mapping[str, Destination]) -> list[str]:
    """The destinations of an episode, by name: those of its routes, or of the policy, or all; always only those that take it."""
    found = branches(policy, episode)
    wanted = [name for branch in found for name in branch.route.to] if found else list(policy.to or destinations)
    return [name for name in dict.fromkeys(wanted) if name in destinations and destinations[name].takes(episode.model, episode.severity)]


def unreached(policy: Policy, episode: Episode, destinations: Mapping[str, Destination]) -> str:
    """Why an episode has no destination."""
    found = branches(policy, episode)
    wanted = [name for branch in found for name in branch.route.to] if found else list(policy.to or destinations)
    if not wanted:
        return "its route has no destination" if found else "there is no destination"
    gone = [name for name in dict.fromkeys(wanted) if name not in destinations]
    takes = {name: destinations[name].takes(episode.model, episode.severity) for name in wanted if name in destinations}
    paused = [name for name, taken in takes.items() if taken and not destinations[name].enabled]
    refused = [name for name, taken in takes.items() if not taken]
    said = [f"there is no destination {', '.join(gone)}"] * bool(gone)
    said += [f"{', '.join(paused)} {'is' if len(paused) == 1 else 'are'} paused"] * bool(paused)
    said += [f"{', '.join(refused)} {'takes' if len(refused) == 1 else 'take'} no episode of this model and severity"] * bool(refused)
    return "; ".join(said)
