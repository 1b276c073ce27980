"""The stages group and deduplicate: which episodes are told together, and whether there is anything new to tell of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from alerts.policy.match import fact
from core import moment
from core.episode import Episode, Level
from core.policy import FIRED, RESOLVED, UPDATED, Group, Policy

_CAUSE = "quality."  # a column that is null has drifted, too


class News(NamedTuple):
    """Something to tell of a group: its kind, why it is told, and the episodes that are told of. `new` are the ids of those that are news; none in a repetition."""

    group: Group
    kind: str
    reason: str
    episodes: tuple[Episode, ...]
    new: frozenset[str] = frozenset()


class Quiet(NamedTuple):
    """Nothing to tell of a group: why, and when that may change (None: only by something that happens)."""

    reason: str
    until: int | None


def gather(policy: Policy, groups: Sequence[Group], tellable: Sequence[Episode], now: int) -> dict[str, tuple[Group, list[Episode]]]:
    """By id the open groups with the open episodes that may be told. A new group begins with the first episode of its key."""
    found = {group.key: (group, list[Episode]()) for group in groups}
    known = {name: group.key for group in groups for name in group.told}
    for episode in tellable:
        key = known.get(episode.id) or tuple(_fact(episode, field) for field in policy.group_by)
        if key not in found:
            name = hashlib.sha256(msgspec.json.encode((policy.name, key, episode.id, now))).hexdigest()[:24]
            found[key] = (Group(id=f"gr_{name}", key=key, opened=now), [])
        found[key][1].append(episode)
    return {group.id: (group, sorted(members, key=worst_first)) for group, members in found.values()}


def _fact(episode: Episode, field: str) -> str:
    """What an episode is grouped by. What is about no column is about its model: two models without one have nothing in common."""
    return fact(episode, field) or (f"of {episode.model}" if field == "column" else "")


def worst_first(one: Episode) -> tuple[object, ...]:
    """The sort key of an episode in its group: severity, level, quality before what bad data bring about, `all` before segments, many rows before few, old before new."""
    return (
        -one.severity.rank,
        one.level is not Level.CRITICAL,
        not one.measure.startswith(_CAUSE),
        one.segment != "all",
        -one.reading.n_target,
        one.fired_at,
        one.id,
    )


def deduplicate(
    policy: Policy, group: Group, members: Sequence[Episode], over: Mapping[str, Episode], acknowledged: frozenset[str], now: int
) -> News | Quiet:
    """What there is to tell of a group. `members` are its open episodes that may be told, worst first; `over` those that were told and have ended since."""
    if group.told_at is None:
        if not members:
            return Quiet("they ended before the group was told", None)
        if now < group.opened + policy.group_wait:
            return Quiet(f"waits for others until {moment.text(group.opened + policy.group_wait)}", group.opened + policy.group_wait)
        return News(group, FIRED, "the first notice of this group", tuple(members), frozenset(one.id for one in members))
    new = [one for one in members if one.id not in group.told]
    worse = [one for one in members if one.id in group.told and one.level is Level.CRITICAL and group.told[one.id] is Level.WARN]
    ended = [one for name, one in over.items() if name in group.told]
    open_still = [name for name in group.told if name not in over] + [one.id for one in new]
    news = frozenset(one.id for one in (*new, *worse, *ended))
    if not open_still:
        return News(group, RESOLVED, "all episodes of the group have ended", tuple(sorted(ended, key=worst_first)), news)
    earliest = group.told_at + policy.group_interval
    if new or worse or ended:
        if now < earliest:
            return Quiet(f"was told a moment ago; the next notice may go at {moment.text(earliest)}", earliest)
        said = [f"{len(new)} new"] * bool(new) + [f"{len(worse)} critical now"] * bool(worse) + [f"{len(ended)} ended"] * bool(ended)
        return News(group, UPDATED, ", ".join(said), (*members, *sorted(ended, key=worst_first)), news)
    again = max(earliest, group.told_at + policy.repeat_interval)
    if all(one.id in acknowledged for one in members):
        return Quiet("nothing new, and somebody has acknowledged it" if members else "nothing new", None)
    if now < again:
        return Quiet(f"nothing new since {moment.text(group.told_at)}", again)
    return News(group, UPDATED, f"still open after {moment.long(policy.repeat_interval)}", tuple(members))
