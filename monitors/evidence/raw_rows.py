"""The raw rows of a column behind counts of panes: read when a measure asks for them, the rows of one window at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from core.block import Categories, Floats, Ints, Predictions
from core.contract import LABEL, Column, Contract, Kind
from core.segment import ALL, Segments
from core.span import Flags, Spans
from detectors.summary.inputs import values_of
from monitors.evidence.reads import Reads
from monitors.reference.facts import KEPT

MOST = 200_000  # rows of a window whose numbers are read


class RowsOf:
    """The rows of a column of one side, whose parts are pooled (`detectors.sample.RawRows`)."""

    def __init__(self, reads: Reads, column: Column, side: Sequence[Spans]) -> None:
        self._reads, self._column, self._side = reads, column, side
        self._last: tuple[int, Predictions | None] | None = None  # a window and its rows

    def unseen(self, place: tuple[int, int], most: int) -> list[tuple[str, int]]:
        """Values that the reference does not have, of a feature or tag in all traffic."""
        window, segment = place
        contract, scope = self._reads.scope.model.contract, self._reads.scope
        if scope.segments[segment] != ALL or self._column.kind is not Kind.CATEGORICAL or self._column not in contract.kept:
            return []
        return self._reads.unseen(self._column.name, self._slots(window), most)

    def numbers(self, place: tuple[int, int]) -> Floats:
        """The finite numbers of the rows that are there, of `MOST` at most."""
        window, segment = place
        if self._last is None or self._last[0] != window:
            self._last = window, self._reads.sample(self._slots(window), MOST, self._needed)
        return self._finite(self._last[1], segment)

    def numbers_of_reference(self, segment: int) -> Floats:
        """Those of the rows of the reference that are kept."""
        return self._finite(self._kept, segment)

    @cached_property
    def _kept(self) -> Predictions | None:
        return self._reads.sample_of_reference(KEPT, self._needed)

    @cached_property
    def _needed(self) -> frozenset[str]:
        """The columns that are read: this one, and those that say in which segment a row is."""
        return frozenset((self._column.name, *Segments(self._reads.scope.model.contract).dimensions))

    def _slots(self, window: int) -> Ints:
        return self._reads.slots_of([spans.take(slice(window, window + 1)) for spans in self._side])

    def _finite(self, block: Predictions | None, segment: int) -> Floats:
        scope = self._reads.scope
        if block is None:
            return np.zeros(0)
        inside = members(scope.model.contract, block, (scope.segments[segment],))[:, 0]
        values = values_of(scope.model.contract, block)[self._column.name]
        if isinstance(values, Categories):
            raise TypeError(f"column {self._column.name!r} has no numbers")
        held = values[inside]
        return held[np.isfinite(held)]


def rows_of(reads: Reads, column: Column, side: Sequence[Spans]) -> RowsOf | None:
    """The rows of a column of a side; None for labels, which are not in raw events."""
    return None if column.name == LABEL else RowsOf(reads, column, side)


def members(contract: Contract, block: Predictions | None, segments: tuple[str, ...]) -> Flags:
    """Which rows are in which segments: (rows, segments)."""
    if block is None:
        return np.zeros((0, len(segments)), np.bool_)
    space, values = Segments(contract), values_of(contract, block)
    texts = {name: held for name in space.dimensions if isinstance(held := values[name], Categories)}
    place, found = {name: at for at, name in enumerate(segments)}, np.zeros((len(block), len(segments) + 1), np.bool_)
    for numbers in space.assign(len(block), texts):
        distinct, codes = np.unique(numbers, return_inverse=True)
        at = np.array([place.get(space.name(int(number)), len(segments)) for number in distinct], np.int64)
        found[np.arange(len(block)), at[codes]] = True
    return found[:, : len(segments)]
