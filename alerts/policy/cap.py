"""The stage that caps: at most so many notices of a model in a period; the rest waits, and becomes one digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerts.policy.group import News, worst_first
from core.policy import RESOLVED


class Capped(NamedTuple):
    """What may be told now, what goes into one digest, and what waits until `until`."""

    single: tuple[News, ...]
    digest: tuple[News, ...]
    waiting: tuple[News, ...]
    until: int | None


def cap(limit: tuple[int, int] | None, wanted: Sequence[News], sent: Sequence[int], now: int) -> Capped:
    """Cut what is wanted of one model to its cap, the worst first. `sent` are the times of the notices that were sent. An end is never capped: it quiets."""
    ends = tuple(one for one in wanted if one.kind == RESOLVED)
    rest = sorted((one for one in wanted if one.kind != RESOLVED), key=lambda one: worst_first(one.episodes[0]))
    if limit is None:
        return Capped((*ends, *rest), (), (), None)
    most, period = limit
    recent = sorted(time for time in sent if time > now - period)
    free = most - len(recent)
    if len(rest) <= free:
        return Capped((*ends, *rest), (), (), None)
    if free <= 0:
        return Capped(ends, (), tuple(rest), recent[len(recent) - most] + period)
    return Capped((*ends, *rest[: free - 1]), tuple(rest[free - 1 :]), (), None)
