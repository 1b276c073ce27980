"""The cells of event time that a step reads: the longest cells of which all its spans consist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from core.block import Floats, Ints
from core.span import Spans

How = Callable[[Floats, Floats], Floats]
_GAP = 8  # a gap of so many cells is read along rather than split into two queries
_FINER, _FEW = 4, 64  # cells of one length are taken if they are at most so many times as many as those of any length, and so many more


@dataclass(frozen=True, eq=False)
class Extent:
    """Cells `[cell, cell + step)`; `cells` are their starts, ascending, each `phase` modulo `step`. All in microseconds.

    Windows of months, or of days of which some have 23 hours, have no long step in common: their cells go to the next of the `bounds`, at which spans begin or end
    (ascending; None if all cells have one length). Then `step` is only the usual length.
    """

    step: int
    cells: Ints
    bounds: Ints | None = None

    @staticmethod
    def of(spans: Spans) -> Extent:
        """The cells of some spans, of which at least one is not empty."""
        spans = spans.take(spans.start < spans.end)
        bounds = np.unique(np.concatenate([spans.start, spans.end]))
        step = int(np.gcd.reduce(bounds - bounds[0]))
        covered = _covered(spans, bounds)
        if np.diff(bounds)[covered].sum() // step <= _FINER * covered.sum() + _FEW:
            return Extent._cut(spans, step)
        return Extent(int(np.median(np.diff(bounds)[covered])), bounds[:-1][covered], bounds)

    def part(self, spans: Spans) -> Extent:
        """The cells of which some spans consist."""
        spans = spans.take(spans.start < spans.end)
        if self.bounds is None:
            return Extent._cut(spans, self.step)
        return Extent(self.step, self.bounds[:-1][_covered(spans, self.bounds)], self.bounds)

    @staticmethod
    def _cut(spans: Spans, step: int) -> Extent:
        # Of spans that overlap, such as the days of a year to date, the union is cut, and not each of them.
        bounds = np.unique(np.concatenate([spans.start, spans.end]))
        kept = _covered(spans, bounds)
        each = np.diff(bounds)[kept] // step
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        return Extent(step, np.repeat(bounds[:-1][kept], each) + step * within)

    @property
    def phase(self) -> int:
        """The starts of cells, modulo `step`."""
        return int(self.cells[0] % self.step)

    @property
    def ends(self) -> Ints:
        """The ends of cells."""
        return self.cells + self.step if self.bounds is None else self.bounds[np.searchsorted(self.bounds, self.cells) + 1]

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Ranges that hold all cells and no long gap."""
        ends = self.ends
        breaks = np.flatnonzero(self.cells[1:] - ends[:-1] >= _GAP * self.step) + 1
        return [(int(low[0]), int(high[-1])) for low, high in zip(np.split(self.cells, breaks), np.split(ends, breaks), strict=True)]

    def covers(self, other: Extent) -> bool:
        """Whether the cells of another extent are among these."""
        return bool(Spans(other.cells, other.ends).isin(Spans(self.cells, self.ends)).all())

    def pooled(self, values: Floats, parts: Sequence[Spans], how: How = np.add, nothing: float = 0.0) -> Floats:
        """Sums over the cells of spans, or the result of another function of two arrays, of which `nothing` is that of an empty span. values: (cells, ...); returns (spans, ...), where index i pools span i of every part."""
        return reduce(how, (self._pooled(values, spans, how, nothing) for spans in parts))

    def counted(self, counts: Floats, parts: Sequence[Spans]) -> Floats:
        """`pooled` of counts. Sums of whole numbers are the same in any order, so those of long spans are differences of running totals."""
        places = [tuple(np.searchsorted(self.cells, ends) for ends in (spans.start, spans.end)) for spans in parts]
        if all((after - first <= 1).all() for first, after in places):
            return self.pooled(counts, parts)
        totals = np.zeros((len(counts) + 1, *counts.shape[1:]))
        np.cumsum(counts, axis=0, out=totals[1:])
        return reduce(np.add, (totals[after] - totals[first] for first, after in places))

    def _pooled(self, values: Floats, spans: Spans, how: How, nothing: float) -> Floats:
        first, after = np.searchsorted(self.cells, spans.start), np.searchsorted(self.cells, spans.end)
        many = after - first
        if (many == 1).all():
            return values[first]
        # Sums over 1, 2, 4, ... cells from each cell on: a span is made of few of them, also where many long spans overlap.
        found, place, held, size = np.full((len(spans), *values.shape[1:]), nothing), first.copy(), values, 1
        while True:
            there = np.flatnonzero(many & size)
            found[there] = how(found[there], held[place[there]])
            place[there] += size
            if 2 * size > many.max(initial=0):
                return found
            held, size = how(held[:-size], held[size:]), 2 * size


def _covered(spans: Spans, bounds: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the stretches between bounds lie in a span."""
    change = np.zeros(len(bounds), np.int64)
    np.add.at(change, np.searchsorted(bounds, spans.start), 1)
    np.add.at(change, np.searchsorted(bounds, spans.end), -1)
    return np.cumsum(change)[:-1] > 0
