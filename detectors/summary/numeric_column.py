"""What panes hold of a column of numbers: counts and sums by bin, and moments."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.block import Floats, Ints
from core.contract import Column
from detectors.summary import lookup
from detectors.summary.bins import number_bins
from detectors.summary.panes import PaneRows
from detectors.summary.tally import Tally

_ALONE = 8_192  # numbers whose squares BLAS sums without threads, which would cost more than they save


class _Parts(NamedTuple):
    """The value bins of a column, cut again where its tails end, so that counts by part tell how many numbers are in these: the parts before `below`, and those from `above` on.

    `cuts` ascend; `bin` holds the bin of each part (cuts + 1,).
    """

    cuts: tuple[float, ...]
    bin: Ints
    below: int
    above: int


def summary(panes: PaneRows, column: Column, x: Floats) -> tuple[Tally, dict[str, Floats]]:
    """Counts and sums of n numbers by pane and bin, and their moments by pane (P,). Only finite numbers have sums and moments.

    square: sum of (x - column.middle)^2; absolute: sum of |x|; low, high: the least and the largest
    x, infinite where there is none; below, above: how many are beyond `column.tails`; outside: how many are outside of `column.range`.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # squares of enormous numbers are infinite
        return (_one_pane if len(panes) == 1 else _panes)(panes, column, x)


def _one_pane(_: PaneRows, column: Column, x: Floats) -> tuple[Tally, dict[str, Floats]]:  # long: one passage makes everything
    """The summary of one pane. All is made of a block of numbers while it is in the cache, and little of it from every number."""
    parts, middle, limits = _parts(column.edges, column.tails), column.middle, column.range or (-np.inf, np.inf)
    width, room, find = len(parts.bin), lookup.Room.of(len(x)), lookup.finder(parts.cuts, len(x))
    count, sums, missing = np.zeros(width, np.int64), np.zeros(width), np.zeros(2, np.int64)
    square, absolute, outside, low, high, later = 0.0, 0.0, 0, np.inf, -np.inf, list[Floats]()
    for start in range(0, len(x), lookup.BLOCK):
        each = x[start : start + lookup.BLOCK]
        least, most = np.minimum.reduce(each), np.maximum.reduce(each)
        if not most < np.inf:  # there are NaN for null, or infinity for invalid
            missing += np.count_nonzero(np.isnan(each)), np.count_nonzero(each == np.inf)
            each = each[np.isfinite(each)]
            if not len(each):
                continue
            least, most = np.minimum.reduce(each), np.maximum.reduce(each)
        apart = room.number[: len(each)]
        if least == most:
            part = np.searchsorted(parts.cuts, [least], side="right")
            count[part] += len(each)
            own = np.bincount(part, [len(each) * least], width)
            square += len(each) * (least - middle) ** 2
        else:
            part, rows = find(each, least, room)
            later.append(each[rows])
            count += np.bincount(part, minlength=width)[:width]
            own = np.bincount(part, each, width)
            np.subtract(each, middle, out=apart)
            square += sum(float(np.dot(few, few)) for few in (apart[at : at + _ALONE] for at in range(0, len(apart), _ALONE)))
        sums += own[:width]
        absolute += abs(own.sum()) if least >= 0 or most <= 0 else np.add.reduce(np.abs(each, out=apart))
        outside += int(np.count_nonzero(each < limits[0])) if least < limits[0] else 0
        outside += int(np.count_nonzero(each > limits[1])) if most > limits[1] else 0
        low, high = min(low, least), max(high, most)
    left = np.concatenate([np.zeros(0), *later])  # all at once
    part = lookup.place(parts.cuts, left)
    count += np.bincount(part, minlength=width)
    sums += np.bincount(part, left, width)
    values = np.append(np.bincount(parts.bin, count, column.values).astype(np.int64), missing)
    cells = np.flatnonzero(values)
    found = Tally(np.array([0, len(cells)]), cells, values[cells], (np.bincount(parts.bin, sums, column.bins)[cells].astype(np.float64),))
    tails = {"below": count[: parts.below].sum(), "above": count[parts.above :].sum()}
    moments = {"square": square, "absolute": absolute, "low": low, "high": high, "outside": outside, **tails}
    return found, {name: np.array([value], np.float64) for name, value in moments.items()}


def _panes(panes: PaneRows, column: Column, x: Floats) -> tuple[Tally, dict[str, Floats]]:
    """The summary of several panes."""
    place = number_bins(column, x)
    finite = place < column.null
    whole = bool(finite.all())
    found = panes.tally(place, column.bins, x if whole else np.where(finite, x, 0.0))
    each = panes.spread(x if whole else np.where(finite, x, np.nan))
    there, moments = None if whole else ~np.isnan(each), {}
    for name, part in (("square", each - column.middle), ("absolute", np.abs(each))):
        if name == "square":
            np.square(part, out=part)  # in its place: to ask for new memory costs as much as to compute
        moments[name] = panes.reduce(np.add, part if there is None else np.where(there, part, 0.0))
    low, high = panes.reduce(np.fmin, each), panes.reduce(np.fmax, each)
    moments |= {"low": np.where(np.isnan(low), np.inf, low), "high": np.where(np.isnan(high), -np.inf, high)}
    tails, limits = (one or (-np.inf, np.inf) for one in (column.tails, column.range))
    beyond = {"below": x < tails[0], "above": (x > tails[1]) & finite}
    if moments["low"].min() < limits[0] or moments["high"].max() > limits[1]:
        beyond["outside"] = finite & ((x < limits[0]) | (x > limits[1]))
    nothing = {"outside": np.zeros(len(panes))}
    return found, moments | nothing | {name: panes.count(where).astype(np.float64) for name, where in beyond.items()}


@lru_cache(4_096)
def _parts(edges: tuple[float, ...], tails: tuple[float, float] | None) -> _Parts:
    """The parts of a column with these edges and tails."""
    low, high = tails or (-np.inf, np.inf)
    above = np.nextafter(high, np.inf)  # the first number
    cuts = np.unique(np.array([*edges, low, above]))
    cuts = cuts[np.isfinite(cuts)]
    starts = np.append([-np.inf], cuts)  # of each part
    bins = np.searchsorted(np.asarray(edges, np.float64), starts, side="right")
    return _Parts(tuple(cuts.tolist()), bins, int(np.searchsorted(starts, low)), int(np.searchsorted(starts, above)))
