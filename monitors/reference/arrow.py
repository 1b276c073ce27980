"""How each Arrow type is read, or why it cannot be read. All columns of files are read by this table.

A column is read for a use. The result has one of a few types, whatever the file holds: null, boolean, int64, uint64, float64 (NaN is null),
string, large_string or a dictionary of these, and timestamp[us, UTC].
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from core.error import ConfigError
from monitors.reference.arrow_time import instants

_SHOWN = 80  # characters of a type or a value in a message


class ValueForm(StrEnum):
    """The kind of values of a column, whatever type holds them."""

    NOTHING = "nothing"
    BOOLEAN = "booleans"
    INTEGER = "integers"
    NUMBER = "numbers"
    TEXT = "text"
    TIME = "times"


class Use(StrEnum):
    """The use for which a column is read."""

    ID = "an id"
    TIME = "a time"
    CATEGORY = "a class or a category"
    NUMBER = "a number"
    SET = "a set of classes"
    TEXT = "a text"
    VECTOR = "a vector"


_TAKES = {
    Use.ID: {ValueForm.NOTHING, ValueForm.TEXT, ValueForm.INTEGER},
    Use.TIME: {ValueForm.NOTHING, ValueForm.TIME, ValueForm.TEXT, ValueForm.INTEGER, ValueForm.NUMBER},
    Use.CATEGORY: {ValueForm.NOTHING, ValueForm.TEXT, ValueForm.BOOLEAN, ValueForm.INTEGER, ValueForm.NUMBER},
    Use.NUMBER: {ValueForm.NOTHING, ValueForm.INTEGER, ValueForm.NUMBER},
    Use.SET: {ValueForm.NOTHING},
    Use.TEXT: {ValueForm.NOTHING, ValueForm.TEXT},
    Use.VECTOR: {ValueForm.NOTHING},
}
_INSTEAD = {
    Use.ID: "write ids as texts or integers, whole numbers of a pandas column with nulls by `.astype('Int64')`",
    Use.TIME: "write timestamps, RFC 3339 texts, or integers that are milliseconds since 1970",
    Use.CATEGORY: "write texts, booleans or numbers",
    Use.NUMBER: "write numbers",
    Use.SET: "write lists of texts, booleans or numbers",
    Use.TEXT: "write texts",
    Use.VECTOR: "write lists of numbers, all of one length",
}
_BYTES = (kinds.is_binary, kinds.is_large_binary, kinds.is_binary_view, kinds.is_fixed_size_binary)
_LARGE = (kinds.is_large_string, kinds.is_large_binary, kinds.is_string_view, kinds.is_binary_view)
_LISTS = (kinds.is_list, kinds.is_large_list, kinds.is_fixed_size_list)
_FORMS: tuple[tuple[Callable[[pa.DataType], bool], ValueForm], ...] = (
    (kinds.is_null, ValueForm.NOTHING),
    (kinds.is_boolean, ValueForm.BOOLEAN),
    (kinds.is_integer, ValueForm.INTEGER),
    (kinds.is_floating, ValueForm.NUMBER),
    *((test, ValueForm.TEXT) for test in (kinds.is_string, kinds.is_large_string, kinds.is_string_view, *_BYTES)),  # bytes that are UTF-8
    (kinds.is_timestamp, ValueForm.TIME),
    (kinds.is_date, ValueForm.TIME),
)
_UNREADABLE: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (kinds.is_time, "write a number, such as the seconds since midnight"),
    (kinds.is_duration, "write a number, such as seconds"),
    (kinds.is_interval, "write a number, such as days"),
    (kinds.is_struct, "write a column for each field"),
    (kinds.is_map, "write a column for each key"),
    (kinds.is_union, "write a column for each of its types"),
    (kinds.is_nested, "write a column for each element"),
)
_OTHERWISE = "cast it to text, booleans or numbers"


def form(kind: pa.DataType) -> ValueForm | None:
    """The form of a column of this type; None if it cannot be read. Bytes count as text until their values are read."""
    if isinstance(kind, pa.BaseExtensionType):
        if isinstance(kind, pa.UuidType):
            return ValueForm.TEXT
        if isinstance(kind, pa.Bool8Type):
            return ValueForm.BOOLEAN
        return form(kind.storage_type) if isinstance(kind, pa.JsonType) else None
    if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind):
        return form(kind.value_type)
    if kinds.is_decimal(kind):
        return ValueForm.INTEGER if kind.scale <= 0 else ValueForm.NUMBER
    return next((found for test, found in _FORMS if test(kind)), None)


def takes(use: Use, kind: pa.DataType) -> bool:
    """Whether a column of this type can be read for this use."""
    if use == Use.SET and any(test(kind) for test in _LISTS):
        return takes(Use.CATEGORY, kind.value_type)
    if use == Use.VECTOR and any(test(kind) for test in _LISTS):
        return bool(kinds.is_floating(kind.value_type) or kinds.is_integer(kind.value_type))
    return form(kind) in _TAKES[use]


def instead(kind: pa.DataType, use: Use = Use.CATEGORY) -> str:
    """The remedy: what to write in place of a column of this type."""
    found = form(kind)
    if found is not None:
        return "write what it tells as a number or a text" if found == ValueForm.TIME and use != Use.ID else _INSTEAD[use]
    inner = kind.value_type if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind) else kind
    return next((remedy for test, remedy in _UNREADABLE if test(inner)), _OTHERWISE) if use == Use.CATEGORY else _INSTEAD[use]


def categorical(kind: pa.DataType) -> bool:
    """Whether a feature of this type is categorical: text, booleans, and dictionaries of anything."""
    return kinds.is_dictionary(kind) or form(kind) in {ValueForm.TEXT, ValueForm.BOOLEAN}


def named(kind: pa.DataType) -> str:
    """The name of a type, for a message."""
    return shortened(str(kind))


def shortened(value: object) -> str:
    """A value for a message, cut to a length that can be read."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refusal(name: str, kind: pa.DataType, use: Use, more: str = "") -> ConfigError:
    """The error that a column of this type cannot be read for this use."""
    remedy = instead(kind, use)
    return ConfigError(f"column {name!r} of type {named(kind)} cannot be read as {use}", remedy=f"{remedy}, {more}" if more else remedy)


def read_table(table: pa.Table, uses: Mapping[str, Use]) -> pa.Table:
    """The columns that are used, each read for its use. Raises ConfigError as `read` does."""
    return pa.table({name: read(name, table[name], use) for name, use in uses.items()})


def read(name: str, values: pa.ChunkedArray, use: Use) -> pa.ChunkedArray:
    """The column, read for this use, in one of the types above. A float32 or float16 that is a category is the shortest decimal that reads as it.

    Raises ConfigError that names the column, its type or the row at fault, and what to write.
    """
    if not takes(use, values.type):
        raise refusal(name, values.type, use)
    if use in {Use.SET, Use.VECTOR}:
        return values
    try:
        if kinds.is_dictionary(values.type):
            values.validate(full=True)
        plain = pa.chunked_array([_plain(chunk) for chunk in values.chunks or [pa.nulls(0, values.type)]])
    except pa.ArrowException as error:
        raise _broken(name, values, error) from None
    if kinds.is_decimal(plain.type) and use != Use.ID:
        plain = _number(plain)
    if use == Use.TIME:
        return instants(name, plain)
    if use == Use.ID and form(values.type) == ValueForm.INTEGER:
        return (plain.cast(pa.decimal256(76, 0)) if kinds.is_decimal(plain.type) else plain).cast(pa.string())
    if kinds.is_floating(plain.type):
        return _float(plain, written=use == Use.CATEGORY)
    return plain


def vector_size(values: pa.ChunkedArray) -> int:
    """How many numbers the vectors of a column have: the length of nine tenths or more of its lists; 0 if there is none, or the column does not hold lists of numbers."""
    if not takes(Use.VECTOR, values.type) or form(values.type) is ValueForm.NOTHING:
        return 0
    if kinds.is_fixed_size_list(values.type):
        return int(values.type.list_size)
    counts = pc.value_counts(pc.list_value_length(values).drop_null())
    most = max(counts.to_pylist(), key=lambda one: one["counts"], default={"values": 0, "counts": 0})
    return int(most["values"]) if most["counts"] * 10 >= (len(values) - values.null_count) * 9 else 0


def has_nan(values: pa.ChunkedArray) -> bool:
    """Whether a column of floats holds NaN, which is read as null."""
    return kinds.is_floating(values.type) and bool(pc.any(pc.is_nan(values)).as_py())


def precision(kind: pa.DataType) -> type[np.floating[Any]]:
    """The floating type to which a column's numbers were rounded: that of float16 and float32 columns, else float64."""
    if kinds.is_dictionary(kind) or kinds.is_run_end_encoded(kind):
        return precision(kind.value_type)
    return np.float16 if kinds.is_float16(kind) else np.float32 if kinds.is_float32(kind) else np.float64


def readable(values: pa.ChunkedArray) -> bool:
    """Whether all values of a text column are text; bytes may be something else."""
    try:
        read("", values, Use.CATEGORY)
    except ConfigError:
        return False
    return True


def _plain(values: pa.Array) -> pa.Array:
    """An array without run ends, extensions, views, bytes, and dictionaries of other values than texts. ArrowInvalid if bytes are not text."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        if isinstance(kind, pa.UuidType):
            return pa.array([None if one is None else str(uuid.UUID(bytes=one)) for one in values.storage.to_pylist()], pa.string())
        return values.storage.cast(pa.bool_()) if isinstance(kind, pa.Bool8Type) else _plain(values.storage)
    if kinds.is_run_end_encoded(kind):
        return _plain(pc.run_end_decode(values))
    if kinds.is_dictionary(kind):
        coded = pa.DictionaryArray.from_arrays(values.indices, _plain(values.dictionary))
        return coded if form(kind) == ValueForm.TEXT else coded.dictionary_decode()
    if form(kind) == ValueForm.TEXT:  # through bytes, because only then Arrow checks the text
        large = any(test(kind) for test in _LARGE)
        return values.cast(pa.large_binary() if large else pa.binary()).cast(pa.large_string() if large else pa.string())
    if kinds.is_integer(kind):
        return values.cast(pa.uint64() if kinds.is_uint64(kind) else pa.int64())
    return values


def _bytes(values: pa.ChunkedArray) -> Iterator[bytes | None]:
    """The values of a text column as bytes, row by row."""
    for chunk in values.chunks:
        plain = pc.run_end_decode(chunk) if kinds.is_run_end_encoded(chunk.type) else chunk
        if kinds.is_dictionary(plain.type):
            held = plain.dictionary.cast(pa.large_binary()).to_pylist()
            yield from (held[one] if one is not None and 0 <= one < len(held) else None for one in plain.indices.to_pylist())
        else:
            storage = plain.storage if isinstance(plain.type, pa.BaseExtensionType) else plain
            yield from storage.cast(pa.large_binary()).to_pylist()


def _broken(name: str, values: pa.ChunkedArray, error: Exception) -> ConfigError:
    """The error for a column with a value that cannot be read: bytes that are not text, or an index beyond its dictionary."""
    if form(values.type) == ValueForm.TEXT:
        for row, one in enumerate(_bytes(values)):
            if one is not None and not _utf8(one):
                wrong = f"column {name!r} of type {named(values.type)}, row {row}: {shortened(one)} is not UTF-8"
                return ConfigError(wrong, remedy="write text")
    return ConfigError(f"column {name!r} of type {named(values.type)} cannot be read: {shortened(error)}", remedy="write the file again")


def _utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _number(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals as int64 if all are whole and fit, else as float64."""
    if values.type.scale <= 0:
        try:
            return values.cast(pa.decimal256(76, 0)).cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    return values.cast(pa.string()).cast(pa.float64())  # Arrow's own cast makes 0.5700000000000001 of 0.57


def _float(values: pa.ChunkedArray, *, written: bool) -> pa.ChunkedArray:
    """Float64 with NaN as null. With `written` a float32 or float16 becomes the shortest decimal that reads as it: 0.1, not 0.10000000149011612."""
    wide = values.cast(pa.float64())
    wide = pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
    if not written or kinds.is_float64(values.type):
        return wide
    small = precision(values.type)
    coded = wide.combine_chunks().dictionary_encode()
    decimals = pa.array([float(str(small(one))) for one in coded.dictionary.to_pylist()], pa.float64())
    return pa.chunked_array([decimals.take(coded.indices)])
