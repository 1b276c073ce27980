"""Makes the noise report. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core import moment
from core.fired import Fired
from core.monitor import Monitor
from core.noise import Noise

_STRICTER: tuple[Mapping[str, Any], ...] = (
    {"keep_firing": 2},
    {"persist": (2, 3)},
    {"persist": (2, 3), "keep_firing": 2},
    {"persist": (3, 5)},
)
"""Changes of a rule, the smaller ones first. They leave thresholds as they are, so that the same readings can be played through them."""
_SPARED = 0.5  # the least share of its episodes that a change has to spare


def tally(episodes: Sequence[Fired]) -> list[Noise]:
    """A row for each monitor, those that cost most notices first."""
    of: dict[tuple[str, str], list[Fired]] = {}
    for one in episodes:
        of.setdefault((one.model, one.monitor), []).append(one)
    rows = [_row(*key, fired) for key, fired in of.items()]
    return sorted(rows, key=lambda row: (-row.notices, -row.fired, row.model, row.monitor))


def _row(model: str, monitor: str, fired: Sequence[Fired]) -> Noise:
    return Noise(
        model=model,
        monitor=monitor,
        fired=len(fired),
        open=sum(one.ended_at is None for one in fired),
        told=sum(bool(one.notices) for one in fired),
        acknowledged=sum(one.acknowledged for one in fired),
        useful=sum(one.useful is True for one in fired),
        noise=sum(one.useful is False for one in fired),
        brief=sum(one.brief for one in fired),
        notices=len(frozenset[str]().union(*(one.notices for one in fired))),
    )


def candidates(monitor: Monitor) -> list[tuple[dict[str, Any], Monitor]]:
    """Changes of its rule that make it fire less often: the changed fields as the grammar writes them, and the monitor with them.

    A monitor with a budget has none: its thresholds are calibrated for its `persist`.
    """
    if monitor.allowed is not None:
        return []
    found: list[tuple[dict[str, Any], Monitor]] = []
    for change in _STRICTER:
        new = {name: value for name, value in change.items() if _strictness(value) > _strictness(getattr(monitor, name))}
        written = {name: f"{value[0]} of {value[1]}" if isinstance(value, tuple) else value for name, value in new.items()}
        if new and all(written != known for known, _ in found):
            found.append((written, msgspec.structs.replace(monitor, **new)))
    return found


def _strictness(value: Any) -> int:
    return int(value[0]) if isinstance(value, tuple) else int(value)


def suggestion(
    now: Sequence[Mapping[str, Any]], tried: Sequence[tuple[dict[str, Any], Sequence[Mapping[str, Any]]]], episodes: Sequence[Fired]
) -> dict[str, Any] | None:
    """The smallest change that spares at least half of a monitor's episodes and none that was worth something; None if no change does.

    `now` are the episodes of a back-test of the monitor as it is, `tried` each change with those of a back-test with it, all over the same windows.
    """
    valued = [one for one in episodes if one.valued]
    for change, after in tried:
        spares = len(now) - len(after)
        if spares >= max(1.0, _SPARED * len(now)) and all(any(_same(one, other) for other in after) for one in valued):
            return {"change": change, "episodes": len(now), "episodes_then": len(after), "valued": len(valued)}
    return None


def _same(one: Fired, other: Mapping[str, Any]) -> bool:
    """Whether an episode of a back-test is of the same column and segment, and of the same time."""
    begun = moment.parse(other["fired_at"])
    ended = moment.parse(other["ended_at"]) if other["ended_at"] else None
    overlap = (one.ended_at is None or begun < one.ended_at) and (ended is None or one.fired_at < ended)
    return (one.column, one.segment) == (other["column"], other["segment"]) and overlap
