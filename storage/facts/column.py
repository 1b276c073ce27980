"""Converts between numpy blocks and Arrow columns. Texts are dictionaries in Arrow, times are microseconds in UTC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Categories, Floats, Ints, Vectors

TIME = pa.timestamp("us", tz="UTC")
_SHORT = (pa.uint8(), pa.uint16(), pa.uint32(), pa.int16(), pa.int32())


def times(values: Ints) -> pa.Array:
    """A column of times."""
    return pa.array(values, pa.int64()).cast(TIME)


def constant(value: str | int, rows: int) -> pa.Array:
    """The same value in every row: texts as a dictionary."""
    if isinstance(value, str):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))
    return pa.array(np.full(rows, value, np.uint64))


def texts(values: Categories) -> pa.Array:
    """A column of texts."""
    return pa.DictionaryArray.from_arrays(pa.array(values.codes, pa.int32()), pa.array(values.texts, pa.string()))


def text_rows(columns: Sequence[Categories], rows: int) -> pa.Array:
    """Each row's texts of several columns, as a list."""
    table: dict[str, int] = {}
    codes = np.zeros((rows, len(columns)), np.int32)
    for index, column in enumerate(columns):
        remap = np.array([table.setdefault(text, len(table)) for text in column.texts], np.int32)
        if len(remap):
            codes[:, index] = remap[column.codes]
    return lists(len(columns), rows, pa.DictionaryArray.from_arrays(pa.array(codes.ravel()), pa.array(list(table), pa.string())))


def number_rows(columns: Sequence[Floats] | Floats | None, rows: int) -> pa.Array:
    """Each row's numbers of several columns, as a list: from column arrays, a (rows, k) matrix, or nothing."""
    if columns is None or (not isinstance(columns, np.ndarray) and not columns):
        return lists(0, rows, pa.array([], pa.float64()))
    matrix = columns if isinstance(columns, np.ndarray) else np.column_stack(columns)
    return lists(matrix.shape[1], rows, pa.array(np.ascontiguousarray(matrix, np.float64).ravel()))


def vector_rows(columns: Sequence[Vectors], rows: int) -> pa.Array:
    """Each row's vectors of several columns, as a list of lists; a vector without a finite number is an empty list."""
    kind = pa.float32()
    there = np.column_stack([np.isfinite(column[:, 0]) for column in columns]) if columns else np.zeros((rows, 0), np.bool_)
    sizes = np.where(there, np.array([column.shape[1] for column in columns], np.int32), 0).ravel()
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    if len(columns) == 1:
        flat = columns[0][there[:, 0]].ravel()
    else:
        flat = np.concatenate(
            [column[row] for row in range(rows) for column, good in zip(columns, there[row], strict=True) if good]
            or [np.zeros(0, np.float32)]
        )
    return lists(len(columns), rows, pa.ListArray.from_arrays(pa.array(ends), pa.array(flat, kind)))


def vectors(column: pa.ChunkedArray, sizes: Sequence[int]) -> tuple[Vectors, ...]:
    """The vectors of `vector_rows`: (rows, size) each."""
    found = tuple(np.full((len(column), size), np.nan, np.float32) for size in sizes)
    inner = pc.list_flatten(column).combine_chunks()
    inner = pa.concat_arrays(inner.chunks) if isinstance(inner, pa.ChunkedArray) else inner
    lengths = pc.list_value_length(inner).to_numpy(zero_copy_only=False).reshape(len(column), len(sizes))
    flat = np.asarray(pc.list_flatten(inner).to_numpy(zero_copy_only=False), np.float32)
    starts = (np.cumsum(lengths.ravel()) - lengths.ravel()).reshape(lengths.shape)
    for place, (size, vectors) in enumerate(zip(sizes, found, strict=True)):
        rows = np.flatnonzero(lengths[:, place] == size)
        vectors[rows] = flat[starts[rows, place][:, None] + np.arange(size)]
    return found


def lists(width: int, rows: int, values: pa.Array) -> pa.Array:
    """Lists of the same width."""
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32) * width), values)


def ints(column: pa.ChunkedArray) -> Ints:
    """A column of whole numbers or times as int64."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(TIME).cast(pa.int64())
    return np.asarray(column.to_numpy(), np.int64)


def floats(column: pa.ChunkedArray) -> Floats:
    """A column of numbers as float64."""
    return np.asarray(column.to_numpy(), np.float64)


def objects(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """A column of texts as Python strings."""
    return np.asarray(column.cast(pa.string()).to_pylist(), dtype=object)


def categories(column: pa.ChunkedArray) -> Categories:
    """A column of texts, encoded."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of no rows
        array = pa.array([], pa.string())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    values = array.dictionary.cast(pa.string()).to_pylist()
    codes = array.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    if len(set(values)) == len(values):
        return Categories(codes, values)
    table: dict[str, int] = {}
    remap = np.array([table.setdefault(value, len(table)) for value in values], np.int32)
    return Categories(remap[codes], list(table))


def matrix(column: pa.ChunkedArray) -> Floats | None:
    """A column of lists of equal width as (rows, width); None where the lists are empty or their widths differ."""
    if len(column) == 0:
        return None
    widths = pc.list_value_length(column)
    width = widths[0].as_py()
    if not width or not pc.all(pc.equal(widths, width)).as_py():
        return None
    return floats(pc.list_flatten(column)).reshape(len(column), width)


def narrowed(table: pa.Table) -> pa.Table:
    """The table with the shortest types that hold its counts and codes: the store makes them long again, and most of what an insert costs is per byte."""
    return pa.table({name: _narrowed(table[name].combine_chunks()) for name in table.column_names})


def _narrowed(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        codes = next(codes for codes in (pa.int8(), pa.int16(), pa.int32()) if len(values.dictionary) <= 1 << (codes.bit_width - 1))
        return pa.DictionaryArray.from_arrays(values.indices.cast(codes), values.dictionary)
    if pa.types.is_map(kind):
        return pa.MapArray.from_arrays(values.offsets, values.keys, _narrowed(values.items))
    if not pa.types.is_integer(kind) or not len(values):
        return values
    least, most = (pc.min_max(values)[side].as_py() for side in ("min", "max"))
    short = (one for one in _SHORT if np.iinfo(one.to_pandas_dtype()).min <= least and most <= np.iinfo(one.to_pandas_dtype()).max)
    return values.cast(next(short, kind))
