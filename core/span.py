"""Spans of event time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.block import Ints

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Spans:
    """n half-open spans `[start, end)` in microseconds; `start` and `end` are (n,). Those of a set are in order of start, then end, and distinct."""

    start: Ints
    end: Ints

    @staticmethod
    def of(pairs: Sequence[tuple[int, int]]) -> Spans:
        """The spans of some pairs."""
        held = np.array(pairs, np.int64).reshape(-1, 2)
        return Spans(held[:, 0], held[:, 1])

    @staticmethod
    def none() -> Spans:
        """No spans."""
        return Spans.of(())

    def __len__(self) -> int:
        return len(self.start)

    def pairs(self) -> list[tuple[int, int]]:
        """The spans as pairs."""
        return list(zip(self.start.tolist(), self.end.tolist(), strict=True))

    def take(self, which: Flags | Ints | slice) -> Spans:
        """Some of the spans, by mask, places or slice."""
        return Spans(self.start[which], self.end[which])

    def join(self, *others: Spans) -> Spans:
        """The set of these spans and others."""
        every = (self, *others)
        start, end = np.concatenate([one.start for one in every]), np.concatenate([one.end for one in every])
        order = np.lexsort((end, start))
        start, end = start[order], end[order]
        fresh = np.ones(len(start), np.bool_)
        fresh[1:] = (np.diff(start) != 0) | (np.diff(end) != 0)
        return Spans(start[fresh], end[fresh])

    def isin(self, others: Spans) -> Flags:
        """Which of the spans are among others: (n,)."""
        return others.find(self) >= 0

    def find(self, others: Spans) -> Ints:
        """The index of each of `others` among these, -1 if it is not there; `others` may be in any order."""
        if not len(self):
            return np.full(len(others), -1)
        starts, ends = np.unique(self.start), np.unique(self.end)
        key = np.searchsorted(starts, self.start) * len(ends) + np.searchsorted(ends, self.end)
        begins, closes = _places(starts, others.start), _places(ends, others.end)
        wanted = begins * len(ends) + closes
        place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        return np.where((begins >= 0) & (closes >= 0) & (key[place] == wanted), place, -1)

    def holding(self, times: Ints) -> Flags:
        """Which of the spans hold one of some times, which are ascending: (n,)."""
        return np.asarray(np.searchsorted(times, self.start) < np.searchsorted(times, self.end))


def _places(known: Ints, values: Ints) -> Ints:
    """The index of each value among distinct ascending ones, -1 if it is not there."""
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[place] == values, place, -1)
