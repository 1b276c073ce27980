"""Sparse rows of panes, summed into dense blocks of windows x segments."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Categories, Floats, Ints
from core.classes import Classes
from core.contract import Contract, Task
from detectors.catalogue import Performance

Flags = npt.NDArray[np.bool_]

SCORES = (
    "scored",
    "score_class",
    "score_bin",
    "positive",
    "negative",
    "positive_sum",
    "negative_sum",
)  # the columns that AUC from bins takes


class Rows:
    """The rows of a table (start, segment, and sums or lists) at their places among `starts` (ascending) x `segments`; others are left out."""

    def __init__(self, table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> None:
        codes = {segment: place for place, segment in enumerate(segments)}
        segment = np.array([codes.get(text, -1) for text in table["segment"].cast(pa.string()).to_pylist()], np.int64)
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

    def cells(self, place: Ints, amount: Floats, width: int, lengths: Ints) -> Floats:
        """Sums of list items at their `place` in [0, width), -1 to leave one out; `lengths` are the lists': (starts, segments, width)."""
        row = np.repeat(np.arange(len(self._at)), lengths)
        wanted = self._keep[row] & (place >= 0)
        codes = (self._at[row] * width + place)[wanted]
        return _sums(codes, amount[wanted], (*self.shape, width))

    def counts(self, bins: str, count: str, width: int) -> Floats:
        """Sums of a list column by the bins of another."""
        return self.cells(_numbers(self._table[bins]).astype(np.int64), _numbers(self._table[count]), width, lengths(self._table[bins]))


def needed(contract: Contract) -> tuple[str, ...]:
    """The columns of performance panes that `performance` takes."""
    return ("n", "absolute_sum", "square_sum") if contract.task == Task.REGRESSION else ("n", "cell_prediction", "cell_label", "cell_count")


def performance(contract: Contract, table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> Performance:
    """Performance sums of (starts, segments).

    Classes are those of the contract and whatever else was predicted or came as a label, in order of their texts.
    """
    rows = Rows(table, starts, segments)
    if contract.task == Task.REGRESSION:
        return Performance(n=rows.total("n"), absolute_sum=rows.total("absolute_sum"), square_sum=rows.total("square_sum"))
    known = Classes.of(contract)
    predicted, labels = (known.column(_used(texts(table[name]))) for name in ("cell_prediction", "cell_label"))
    code = {name: place for place, name in enumerate(sorted({*contract.classes, *predicted.texts, *labels.texts}))}
    said, true = _codes(predicted, code), _codes(labels, code)
    count, each = _numbers(table["cell_count"]), lengths(table["cell_count"])
    return Performance(
        n=rows.total("n"),
        right=rows.cells(np.where(said == true, said, -1), count, len(code), each),
        predicted=rows.cells(said, count, len(code), each),
        labelled=rows.cells(true, count, len(code), each),
        positive=code.get(contract.positive) if contract.task == Task.BINARY else None,
    )


def in_parts(contract: Contract, table: pa.Table, starts: Ints, segments: tuple[str, ...], most: int) -> Iterator[Performance]:
    """The same, so many windows at a time that a block has about `most` cells: what is sent may hold any number of classes."""
    size = len(starts)
    if contract.task != Task.REGRESSION:
        held = {*contract.classes, *texts(table["cell_prediction"]).texts, *texts(table["cell_label"]).texts}
        size = max(1, most // max(1, len(held) * len(segments)))
    for part in np.split(starts, range(size, len(starts), size)):
        within = (pc.field("start") >= int(part[0])) & (pc.field("start") <= int(part[-1]))
        yield performance(contract, table if len(part) == len(starts) else table.filter(within), part, segments)


def scores(table: pa.Table, starts: Ints, segments: tuple[str, ...], name: str, width: int) -> dict[str, Floats]:
    """Counts and sums of one class's scores by bin: positive, negative, positive_sum, negative_sum, each (starts, segments, width)."""
    rows = Rows(table, starts, segments)
    of_class = _codes(texts(table["score_class"]), {name: 0})
    place = np.where(of_class == 0, _numbers(table["score_bin"]).astype(np.int64), -1)
    each = lengths(table["score_bin"])
    return {column: rows.cells(place, _numbers(table[column]), width, each) for column in SCORES[3:]}


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


def _used(values: Categories) -> Categories:
    """The same without texts that no row has."""
    used, codes = np.unique(values.codes, return_inverse=True)
    return Categories(codes.astype(np.int32), [values.texts[code] for code in used])


def _numbers(column: pa.ChunkedArray) -> Floats:
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).astype(np.float64) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0)


def _sums(places: Ints, amounts: Floats, shape: tuple[int, ...]) -> Floats:
    """Sums of amounts at their places in an array of this shape."""
    return np.asarray(np.bincount(places, amounts, prod(shape)), np.float64).reshape(shape)


def _codes(values: Categories, code: dict[str, int]) -> Ints:
    table = np.array([code.get(text, -1) for text in values.texts], np.int64)
    return table[values.codes] if len(table) else np.zeros(0, np.int64)
