"""The cells of event time that a step reads: the longest cells of which all its spans consist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from core.block import Floats, Ints
from core.span import Spans

_GAP = 8  # a gap of so many cells is read along rather than split into two queries


@dataclass(frozen=True, eq=False)
class Extent:
    """Cells `[cell, cell + step)`; `cells` are their starts, ascending, each `phase` modulo `step`. All in microseconds."""

    step: int
    cells: Ints

    @staticmethod
    def of(spans: Spans) -> Extent:
        """The cells of some spans, of which there is at least one."""
        bounds = np.concatenate([spans.start, spans.end])
        return Extent._cut(spans, int(np.gcd.reduce(bounds - bounds.min())))

    def part(self, spans: Spans) -> Extent:
        """The cells of which some spans consist."""
        return Extent._cut(spans, self.step)

    @staticmethod
    def _cut(spans: Spans, step: int) -> Extent:
        each = (spans.end - spans.start) // step
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        return Extent(step, np.unique(np.repeat(spans.start, each) + step * within))

    @property
    def phase(self) -> int:
        """The starts of cells, modulo `step`."""
        return int(self.cells[0] % self.step)

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Ranges that hold all cells and no long gap."""
        breaks = np.flatnonzero(np.diff(self.cells) > _GAP * self.step) + 1
        return [(int(run[0]), int(run[-1]) + self.step) for run in np.split(self.cells, breaks)]

    def covers(self, other: Extent) -> bool:
        """Whether the cells of another extent are among these."""
        return self.step == other.step and bool(np.isin(other.cells, self.cells).all())

    def pooled(self, values: Floats, parts: Sequence[Spans], how: np.ufunc = np.add) -> Floats:
        """Sums over the cells of spans, or the result of another ufunc. values: (cells, ...); returns (spans, ...), where index i pools span i of every part."""
        return reduce(how, (self._pooled(values, spans, how) for spans in parts))

    def _pooled(self, values: Floats, spans: Spans, how: np.ufunc) -> Floats:
        first, after = np.searchsorted(self.cells, spans.start), np.searchsorted(self.cells, spans.end)
        if (after - first == 1).all():
            return values[first]
        padded = np.concatenate([values, np.zeros((1, *values.shape[1:]))])
        return np.asarray(how.reduceat(padded, np.stack([first, after], axis=1).ravel(), axis=0)[::2], np.float64)
