"""The raw rows of a column behind counts of panes: read when a measure asks for them, the rows of one window at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_TOGETHER = 16  # columns whose numbers are read together
_HELD = 200_000  # rows of windows, in all, that are held for other columns and monitors


class _Drawn:
    """The rows of a window, or of the reference; what is made of them is made once."""

    def __init__(self, contract: Contract, block: Predictions | None, segments: tuple[str, ...]) -> None:
        self._contract, self._block, self._segments = contract, block, segments

    def __len__(self) -> int:
        return 0 if self._block is None else len(self._block)

    def finite(self, column: str, segment: int) -> Floats:
        """The finite numbers of a column in a segment."""
        if self._block is None:
            return np.zeros(0)
        values = self._values[column]
        if isinstance(values, Categories):
            raise TypeError(f"column {column!r} has no numbers")
        held = values[self._members[:, segment]]
        return held[np.isfinite(held)]

    @cached_property
    def _members(self) -> Flags:
        return members(self._contract, self._block, self._segments)

    @cached_property
    def _values(self) -> Mapping[str, Floats | Categories]:
        return {} if self._block is None else values_of(self._contract, self._block)


class RowsOf:
    """The rows of a column of one side, whose parts are pooled (`detectors.sample.RawRows`)."""

    def __init__(self, reads: Reads, column: Column, side: Sequence[Spans]) -> None:
        self._reads, self._column, self._side = reads, column, side
        self._last: tuple[int, _Drawn] | None = None  # a window and its rows

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
            self._last = window, self._rows(self._slots(window))
        return self._last[1].finite(self._column.name, segment)

    def numbers_of_reference(self, segment: int) -> Floats:
        """Those of the rows of the reference that are kept."""
        kept = self._reads.once(
            ("rows of the reference", self._needed), lambda: self._drawn(self._reads.sample_of_reference(KEPT, self._needed))
        )
        return kept.finite(self._column.name, segment)

    def _rows(self, slots: Ints) -> _Drawn:
        """The rows of slots. Those of small windows are held while the step's other columns and monitors ask for them, until there are `_HELD`."""
        held, key = self._reads.once(("rows of windows",), dict[tuple[bytes, frozenset[str]], _Drawn]), (slots.tobytes(), self._needed)
        if (found := held.get(key)) is None:
            found = self._drawn(self._reads.sample(slots, MOST, self._needed))
            if sum(map(len, held.values())) + len(found) <= _HELD:
                held[key] = found
        return found

    @cached_property
    def _needed(self) -> frozenset[str]:
        """The columns that are read: those with numbers that the step's monitors watch, this one alone if they are many, and those that say in which segment a row is."""
        contract, own = self._reads.scope.model.contract, self._column.name
        shared = {column.name for column in contract.own if column.kind is Kind.NUMERIC} & {own, *self._reads.scope.columns}
        return frozenset((*(shared if own in shared and len(shared) <= _TOGETHER else (own,)), *Segments(contract).dimensions))

    def _drawn(self, block: Predictions | None) -> _Drawn:
        return _Drawn(self._reads.scope.model.contract, block, self._reads.scope.segments)

    def _slots(self, window: int) -> Ints:
        return self._reads.slots_of([spans.take(slice(window, window + 1)) for spans in self._side])


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
