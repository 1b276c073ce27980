"""How much more the windows of a reference differ than independent rows would: each is compared with all rows but its own and its neighbours'."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from tests.oracle import column as measures
from tests.oracle.column import Known, Sample
from tests.oracle.rows import Rows

ENOUGH = 10
_PANE = 3_600_000_000


def phi(monitor: Mapping[str, Any], column: str, whole: Rows, grouping: tuple[str, ...], segment: str, length: int, every: int) -> float:
    """The mean of the statistics of the windows that the reference fills, at least 1; that of `all` if a segment has fewer than ten windows with enough rows."""
    own = _statistics(monitor, column, whole, grouping, segment, length, every)
    found = own if len(own) >= ENOUGH else _statistics(monitor, column, whole, (), "all", length, every)
    return max(1.0, float(np.mean(found))) if found else 1.0


def _statistics(
    monitor: Mapping[str, Any], column: str, whole: Rows, grouping: tuple[str, ...], segment: str, length: int, every: int
) -> list[float]:
    ts, codes, least = whole.window(1), whole.binned(column)[1], max(1, monitor.get("min_samples", 200))
    mine = whole.segments[grouping] == segment
    if column == "@label":
        mine = mine & whole.labelled
    known = Known(whole.binned(column)[0], whole.values(column))

    def sample(rows: Any) -> Sample:
        counts = np.bincount(codes[rows], minlength=known.bins.size).tolist()
        return Sample(counts, lambda: whole.values(column)[rows])

    found = []
    for start, first, last in _windows(ts, length, every):
        target = sample(mine & (ts >= start) & (ts < start + length))
        rest = sample(mine & ((ts < first) | (ts >= last)))
        if min(target.n, rest.n) >= least:
            value = measures.of(monitor["measure"], target, rest, known, monitor.get("params", {}))
            found += [] if value.statistic is None else [value.statistic]
    return found


def _windows(ts: Any, length: int, every: int) -> list[tuple[int, int, int]]:
    """The starts of disjoint windows from the last backwards, of those that the hours with rows fill; and the span of each with those that touch it."""
    low, high = ts.min() // _PANE * _PANE, ts.max() // _PANE * _PANE + _PANE
    starts = sorted({(int(at) // every - back) * every for at in np.unique(ts) for back in range(length // every)})
    starts = list(range(starts[0], starts[-1] + every, every))
    kept: list[int] = []
    for start in reversed(starts):
        if not kept or start + length <= kept[0]:
            kept.insert(0, start)
    touching = {later for before, later in pairwise(kept) if before + length == later}
    return [
        (start, start - length if start in touching else start, start + length * (2 if start + length in touching else 1))
        for start in kept
        if start >= low and start + length <= high
    ]
