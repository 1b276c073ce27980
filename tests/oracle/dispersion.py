"""How much more the windows of a reference differ than independent rows would: each is compared with all rows but its own and its neighbours'."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from tests.oracle import certainty, joint, unseen
from tests.oracle import column as measures
from tests.oracle.column import z_squared
from tests.oracle.rows import Rows
from tests.oracle.sample import Known, Sample

ENOUGH, EARLY = 10, 14
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Statistic = Callable[
    [Places, Places, Places, tuple[int, int]], float | None
]  # of the rows of a window, of others, and of all; others are not in the span
_PANE = 3_600_000_000


class Basis(NamedTuple):
    """Rows in which nothing is taken to have moved, and disjoint windows of them: the start of each, and the span of it with those that touch it."""

    rows: Rows
    windows: list[tuple[int, int, int]]
    inside: Flags  # of the rows, those that windows are compared with
    length: int
    reference: Rows  # what the contract knows is of these


def of_reference(whole: Rows, length: int, every: int) -> Basis:
    """The windows that the reference fills, the last first chosen."""
    return Basis(whole, _windows(whole.window(1), length, every), np.ones(whole.size, np.bool_), length, whole)


def basis(
    monitor: Mapping[str, Any], columns: Sequence[str], whole: Rows, live: Rows, starts: Sequence[int], length: int, every: int
) -> Basis:
    """The reference if in one of the monitor's columns ten of its windows can be compared, else the first fourteen windows of the stream (`starts`), once there are so many."""
    reference = of_reference(whole, length, every)
    fitting = [
        column
        for column in columns
        if column == "" or measures.fits(monitor["measure"], Known(whole.binned(column)[0], whole.values(column)))
    ]
    early = _early(live, starts, length, max(1, monitor.get("min_samples", 200)))
    if len(early) < EARLY or any(len(_statistics(monitor, column, reference, (), "all")) >= ENOUGH for column in fitting):
        return reference
    ts = live.window(1)
    return Basis(live, _touching(early, length), (ts >= early[0]) & (ts < early[-1] + length), length, whole)


@cache
def phi(statistics: tuple[float, ...]) -> float:
    """The mean of the statistics of windows, at least 1."""
    return max(1.0, float(np.mean(statistics))) if statistics else 1.0


def p_value(statistic: float, degrees: float, of_windows: tuple[float, ...]) -> float:
    """The chance of a statistic as large as this one, by the F law that the statistics of windows show; without any the chi-square law. `degrees` is 0 where only windows tell."""
    many, mean = len(of_windows), phi(of_windows)
    if not many:
        return float("nan") if not degrees else float(special.chdtrc(degrees, statistic * degrees))
    if degrees in (0, 1):
        nu = min(_degrees(of_windows), 1.0)
        return float(special.fdtrc(nu, max(many - 1, 1) * nu, statistic / mean))
    nu = min(_degrees(of_windows), degrees)
    return float(special.fdtrc(nu, many * nu, statistic / mean))


@cache
def _degrees(of_windows: tuple[float, ...]) -> float:
    """Satterthwaite's degrees of freedom."""
    if len(of_windows) < 2:
        return 1.0
    variance = float(np.var(of_windows, ddof=1))
    return 2 * float(np.mean(of_windows)) ** 2 / variance if variance else math.inf


def statistics(monitor: Mapping[str, Any], column: str, basis: Basis, grouping: tuple[str, ...], segment: str) -> tuple[float, ...]:
    """The statistics of the windows; those of `all` if a segment has fewer than ten windows with enough rows.

    `column` is "" for the coverage by labels, and for all features together.
    """
    own = _statistics(monitor, column, basis, grouping, segment)
    return own if len(own) >= ENOUGH else _statistics(monitor, column, basis, (), "all")


def _statistics(monitor: Mapping[str, Any], column: str, basis: Basis, grouping: tuple[str, ...], segment: str) -> tuple[float, ...]:
    """Worked out once for all monitors that ask for the same."""
    of_monitor = monitor["measure"], str(monitor.get("params")), monitor.get("min_samples", 200)
    asked = (*of_monitor, column, tuple(basis.windows), basis.length, grouping, segment)
    found: tuple[float, ...] = basis.rows.once(asked, lambda: _compare(monitor, column, basis, grouping, segment))
    return found


def _compare(monitor: Mapping[str, Any], column: str, basis: Basis, grouping: tuple[str, ...], segment: str) -> tuple[float, ...]:
    rows = basis.rows
    sure = monitor["measure"] in certainty.MEASURES
    own = monitor["measure"].startswith("user.")
    of_model = _own if own else _sure if sure else _together if monitor["measure"] in joint.MEASURES else _covered
    compared = of_model(monitor, column, rows) if column == "" else _compared(monitor, column, basis)
    mine = basis.inside & (rows.segments[grouping] == segment)
    if column == "@label" or own or monitor["measure"] in certainty.LABELLED:
        mine &= rows.labelled
    places = np.flatnonzero(mine)
    places = places[np.argsort(rows.times[places], kind="stable")]
    ts, least, found = rows.times[places], max(1, monitor.get("min_samples", 200)), []
    for start, first, last in basis.windows:
        low, high, before, after = np.searchsorted(ts, (start, start + basis.length, first, last))
        if min(high - low, len(ts) - (after - before)) >= least:
            value = compared(places[low:high], np.concatenate([places[:before], places[after:]]), places, (first, last))
            found += [] if value is None else [value]
    return tuple(found)


def _covered(_monitor: Mapping[str, Any], _column: str, whole: Rows) -> Statistic:
    return lambda target, rest, *_: z_squared(int(whole.labelled[target].sum()), len(target), int(whole.labelled[rest].sum()), len(rest))


def _sure(monitor: Mapping[str, Any], _column: str, rows: Rows) -> Statistic:
    return lambda target, rest, *_: certainty.statistic(monitor["measure"], rows, target, rest)


def _own(monitor: Mapping[str, Any], _column: str, rows: Rows) -> Statistic:
    from tests.oracle import user

    return lambda target, rest, *_: user.statistic(monitor["measure"], rows, target, rest)


def _together(monitor: Mapping[str, Any], _column: str, rows: Rows) -> Statistic:
    held, known = joint.held(rows, monitor["measure"]), joint.of(rows)
    return lambda target, rest, *_: joint.MEASURES[monitor["measure"]](held[target], held[rest], known.degrees).statistic


def _compared(monitor: Mapping[str, Any], column: str, basis: Basis) -> Statistic:
    codes, values = basis.rows.binned(column)[1], basis.rows.values(column)
    known = Known(basis.reference.binned(column)[0], basis.reference.values(column))

    def sample(rows: Places, among: Places) -> Sample:
        return Sample(np.bincount(codes[rows], minlength=known.bins.size).tolist(), lambda: values[rows], lambda: values[among])

    every = np.flatnonzero(basis.inside & (basis.rows.labelled if column == "@label" else True))
    ts = basis.rows.times[every]

    def statistic(target: Places, rest: Places, whole: Places, span: tuple[int, int]) -> float | None:
        sides = sample(target, target), sample(rest, whole)  # panes cannot take away an extreme
        others = every[(ts < span[0]) | (ts >= span[1])]
        own = (
            unseen.regrouped(known, np.bincount(codes[others], minlength=known.bins.size))
            if monitor["measure"] in unseen.GROUPED
            else known
        )
        return measures.of(monitor["measure"], *sides, own, monitor.get("params", {})).statistic

    return statistic


def _windows(ts: Any, length: int, every: int) -> list[tuple[int, int, int]]:
    """The starts of disjoint windows from the last backwards, of those that the hours with rows fill; and the span of each with those that touch it."""
    low, high = ts.min() // _PANE * _PANE, ts.max() // _PANE * _PANE + _PANE
    starts = sorted({(int(at) // every - back) * every for at in np.unique(ts) for back in range(length // every)})
    starts = list(range(starts[0], starts[-1] + every, every))
    kept: list[int] = []
    for start in reversed(starts):
        if not kept or start + length <= kept[0]:
            kept.insert(0, start)
    return [window for window in _touching(kept, length) if window[0] >= low and window[0] + length <= high]


def _touching(kept: Sequence[int], length: int) -> list[tuple[int, int, int]]:
    touching = {later for before, later in pairwise(kept) if before + length == later}
    return [
        (start, start - length if start in touching else start, start + length * (2 if start + length in touching else 1)) for start in kept
    ]


def _early(live: Rows, starts: Sequence[int], length: int, least: int) -> list[int]:
    """Of the windows that exist, the first disjoint ones with enough rows, without one that begins before the hour of the first row."""
    ts, kept = np.sort(live.window(1)), list[int]()
    for start in sorted(starts):
        held = np.searchsorted(ts, start + length) - np.searchsorted(ts, start)
        if held >= least and start >= ts[0] // _PANE * _PANE and (not kept or start >= kept[-1] + length):
            kept.append(start)
    return kept[:EARLY]
