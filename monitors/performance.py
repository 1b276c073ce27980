"""Sums of performance panes as dense blocks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from detectors.catalogue import Performance

from core.block import Floats, Ints
from core.contract import Contract, Task


def performance_block(contract: Contract, table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> Performance:
    """The rows of `table` (start, segment, n, sums, cells as lists), summed into (starts, segments).

    Classes are those of the contract and whatever else was predicted or came as a label, in order of their texts.
    """
    shape = (len(starts), len(segments))
    at, keep = _places(table, starts, segments)

    def total(name: str) -> Floats:
        return np.bincount(at[keep], table[name].to_numpy().astype(np.float64)[keep], shape[0] * shape[1]).reshape(shape)

    if contract.task == Task.REGRESSION:
        return Performance(
            n=total("n"), cells=None, classes=(), positive=None, absolute_sum=total("absolute_sum"), square_sum=total("square_sum")
        )
    predicted, labels = (_flat_texts(table[name]) for name in ("cell_prediction", "cell_label"))
    classes = sorted({*contract.classes, *predicted, *labels})
    place = {name: code for code, name in enumerate(classes)}
    k = len(classes)
    row = np.repeat(np.arange(table.num_rows), _lengths(table["cell_count"]))
    p = np.array([place[name] for name in predicted], np.int64)
    t = np.array([place[name] for name in labels], np.int64)
    counts = _flat(table["cell_count"])
    wanted = keep[row] if len(row) else np.zeros(0, np.bool_)
    cells = np.bincount(((at[row] * k + p) * k + t)[wanted], counts[wanted], shape[0] * shape[1] * k * k).reshape(*shape, k, k)
    positive = place.get(contract.positive) if contract.task == Task.BINARY else None
    zero = np.zeros(shape)
    return Performance(n=total("n"), cells=cells, classes=tuple(classes), positive=positive, absolute_sum=zero, square_sum=zero)


def _places(table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    codes = {segment: place for place, segment in enumerate(segments)}
    s = np.array([codes.get(text, -1) for text in table["segment"].cast(pa.string()).to_pylist()], np.int64)
    start = table["start"].to_numpy().astype(np.int64)
    w = np.minimum(np.searchsorted(starts, start), len(starts) - 1)
    return w * len(segments) + np.maximum(s, 0), (s >= 0) & (starts[w] == start)


def _flat_texts(column: pa.ChunkedArray) -> list[str]:
    return [text for chunk in column.chunks for text in chunk.flatten().cast(pa.string()).to_pylist()]


def _flat(column: pa.ChunkedArray) -> Floats:
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).astype(np.float64) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0)


def _lengths(column: pa.ChunkedArray) -> Ints:
    parts = [chunk.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
