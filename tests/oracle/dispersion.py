"""How much more the windows of a reference differ than independent rows would: each is compared with all rows but its own and its neighbours'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle import column as measures
from tests.oracle.column import Known, Sample, z_squared
from tests.oracle.rows import Rows

ENOUGH = 10
Flags = npt.NDArray[np.bool_]
Statistic = Callable[[Flags, Flags], float | None]  # of the rows of a window and of others
_PANE = 3_600_000_000


def phi(statistics: list[float]) -> float:
    """The mean of the statistics of windows, at least 1."""
    return max(1.0, float(np.mean(statistics))) if statistics else 1.0


def p_value(statistic: float, degrees: int, of_windows: list[float]) -> float:
    """The chance of a statistic as large as this one, by the F law that the statistics of the reference's windows show; without any the chi-square law."""
    many, mean = len(of_windows), phi(of_windows)
    if not many:
        return float(stats.chi2.sf(statistic * degrees, degrees))
    if degrees == 1:
        return float(stats.f.sf(statistic / mean, 1, max(many - 1, 1)))
    variance = float(np.var(of_windows, ddof=1)) if many > 1 else np.inf
    nu = min(max(2 * float(np.mean(of_windows)) ** 2 / variance, 1.0), degrees) if variance else float(degrees)
    return float(stats.f.sf(statistic / mean, nu, many * nu))


def statistics(
    monitor: Mapping[str, Any], column: str, whole: Rows, grouping: tuple[str, ...], segment: str, length: int, every: int
) -> list[float]:
    """The statistics of the windows that the reference fills; those of `all` if a segment has fewer than ten windows with enough rows.

    `column` is "" for the coverage by labels.
    """
    compared = (_covered if column == "" else _compared)(monitor, column, whole)
    counted = whole.labelled if column == "@label" else np.ones(whole.size, np.bool_)
    least = max(1, monitor.get("min_samples", 200))

    def within(mine: Flags) -> list[float]:
        ts, found = whole.window(1), []
        for start, first, last in _windows(ts, length, every):
            target = mine & (ts >= start) & (ts < start + length)
            rest = mine & ((ts < first) | (ts >= last))
            if min(target.sum(), rest.sum()) >= least:
                value = compared(target, rest)
                found += [] if value is None else [value]
        return found

    own = within(counted & (whole.segments[grouping] == segment))
    return own if len(own) >= ENOUGH else within(counted)


def _covered(_monitor: Mapping[str, Any], _column: str, whole: Rows) -> Statistic:
    return lambda target, rest: z_squared(
        int(whole.labelled[target].sum()), int(target.sum()), int(whole.labelled[rest].sum()), int(rest.sum())
    )


def _compared(monitor: Mapping[str, Any], column: str, whole: Rows) -> Statistic:
    codes, known = whole.binned(column)[1], Known(whole.binned(column)[0], whole.values(column))

    def sample(rows: Flags) -> Sample:
        return Sample(np.bincount(codes[rows], minlength=known.bins.size).tolist(), lambda: whole.values(column)[rows])

    return lambda target, rest: measures.of(monitor["measure"], sample(target), sample(rest), known, monitor.get("params", {})).statistic


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
