"""Sums the sparse rows of panes into dense blocks of cells x segments."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.block import Categories, Floats, Ints
from core.span import Spans
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Scope

Flags = npt.NDArray[np.bool_]

_ONE = Spans.of([(0, 1)])  # the cell that stands for the whole reference


class Rows:
    """The rows of a table (start, segment, and sums or lists) by index in `starts` (ascending) x `segments`; other rows are left out."""

    def __init__(self, table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> None:
        segment = _places(table["segment"], segments)
        start = table["start"].to_numpy().astype(np.int64)
        window = np.minimum(np.searchsorted(starts, start), len(starts) - 1)
        self._keep: Flags = (segment >= 0) & (starts[window] == start)
        self._at = window * len(segments) + np.maximum(segment, 0)
        self._table = table
        self.shape = (len(starts), len(segments))

    def total(self, name: str) -> Floats:
        """Sums of a column of numbers: (starts, segments)."""
        values = self._table[name].to_numpy().astype(np.float64)
        return _sums(self._at[self._keep], values[self._keep], self.shape)

    def extreme(self, name: str, nothing: float) -> Floats:
        """A column of numbers with one row for each start and segment, `nothing` if there is none: (starts, segments)."""
        found = np.full(prod(self.shape), nothing)
        found[self._at[self._keep]] = self._table[name].to_numpy()[self._keep]
        return found.reshape(self.shape)

    def cells(self, place: Ints, amount: Floats, width: int, lengths: Ints) -> Floats:
        """Sums of list items by their index `place` in [0, width), -1 to leave one out; `lengths` are the lengths of the lists. (starts, segments, width)."""
        return self.several(place, [amount], width, lengths)[0]

    def several(self, place: Ints, amounts: Sequence[Floats], width: int, lengths: Ints) -> list[Floats]:
        """As `cells`, of several amounts of the same items."""
        at = np.repeat(np.where(self._keep, self._at * width, -1), lengths)
        wanted, cell = (at >= 0) & (place >= 0), at + place
        if not wanted.all():
            cell, amounts = cell[wanted], [amount[wanted] for amount in amounts]
        return [_sums(cell, amount, (*self.shape, width)) for amount in amounts]

    def items(self, lengths: Ints) -> Ints:
        """The place in starts x segments of each item of lists with these lengths, -1 where its row is left out."""
        return np.repeat(np.where(self._keep, self._at, -1), lengths)

    def counts(self, bins: str, count: str, width: int) -> Floats:
        """Sums of a list column by the bins of another."""
        return self.cells(numbers(self._table[bins]).astype(np.int64), numbers(self._table[count]), width, lengths(self._table[bins]))


def reference(scope: Scope) -> tuple[pa.Table, Extent, tuple[Spans]]:
    """The performance panes of the reference, all in one cell; that cell, and its span. No rows if there is no reference."""
    held = (scope.model.reference.performance if scope.model.reference else PerformanceSummary.zero()).to_columns()
    held = held.append_column("panes", pa.array(np.ones(held.num_rows, np.int64)))
    return held.rename_columns({"slot": "start"}), Extent.of(_ONE), (_ONE,)


def inputs(scope: Scope, column: str) -> tuple[pa.Table, Extent, tuple[Spans]]:
    """As `reference`, for the input panes of a column, in the form that the store gives."""
    summary = scope.model.reference
    held = InputSummary.zero().to_columns() if summary is None else summary.of_column(column)
    held = held.rename_columns({"slot": "start"})
    return held.append_column("sum_bin", held["bin"]), Extent.of(_ONE), (_ONE,)


def lengths(column: pa.ChunkedArray) -> Ints:
    """The length of each list."""
    parts = [chunk.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def texts(column: pa.ChunkedArray) -> Categories:
    """The items of lists of texts, one after the other."""
    parts = []
    for chunk in column.chunks:
        items = chunk.flatten()
        items = items if pa.types.is_dictionary(items.type) else items.dictionary_encode()
        parts.append(Categories(items.indices.to_numpy(zero_copy_only=False).astype(np.int32), items.dictionary.to_pylist()))
    return Categories.concat(parts)


def numbers(column: pa.ChunkedArray) -> Floats:
    """The items of lists of numbers, one after the other."""
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).astype(np.float64) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0)


def _places(column: pa.ChunkedArray, texts: tuple[str, ...]) -> Ints:
    """The place of each text of a column among some texts, -1 if it is none of them."""
    code = {text: place for place, text in enumerate(texts)}
    chunks = [chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode() for chunk in column.chunks]
    found = [Categories(chunk.indices.to_numpy(zero_copy_only=False), chunk.dictionary.to_pylist()) for chunk in chunks]
    return np.concatenate([np.zeros(0, np.int64), *(codes(one, code) for one in found)])


def _sums(places: Ints, amounts: Floats, shape: tuple[int, ...]) -> Floats:
    """Sums of amounts at their places in an array of this shape."""
    return np.asarray(np.bincount(places, amounts, prod(shape)), np.float64).reshape(shape)


def codes(values: Categories, code: dict[str, int]) -> Ints:
    """The code of each text, -1 if it has none."""
    table = np.array([code.get(text, -1) for text in values.texts], np.int64)
    return table[values.codes] if len(table) else np.zeros(0, np.int64)
