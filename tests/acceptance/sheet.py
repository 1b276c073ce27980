"""Columns of every Arrow type, with the values that must be read from them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from core import moment

Group = Literal["text", "boolean", "integer", "number", "time", "nothing", "unreadable"]
ROWS = 6
_PER = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # ticks a second


class Made(NamedTuple):
    """A column: its Arrow values, their form, and each value as in JSON (a time in microseconds); None is null."""

    array: pa.Array
    group: Group
    means: list[Any]


def _column(
    group: Group, values: st.SearchStrategy[Any], build: Callable[[list[Any]], pa.Array], mean: Callable[[Any], Any]
) -> st.SearchStrategy[Made]:
    def made(drawn: list[Any]) -> Made:
        return Made(build(drawn), group, [None if value is None else mean(value) for value in drawn])

    return st.lists(st.none() | values, min_size=ROWS, max_size=ROWS).map(made)


def _of(kind: pa.DataType) -> Callable[[list[Any]], pa.Array]:
    return lambda values: pa.array(values, kind)


def _same(value: Any) -> Any:
    return value


def _stored(kind: pa.BaseExtensionType) -> Callable[[list[Any]], pa.Array]:
    return lambda values: pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", "null", "other", "a,b=c%", "true", "1", "1.0"]
)
_small = st.integers(0, 120)
_floats = st.floats(-1e4, 1e4, width=16) | st.sampled_from([0.1, 0.7, float("nan"), float("inf"), float("-inf"), -0.0])
_moments = st.integers(978_307_200, 1_700_000_000)  # seconds: 2001 to 2023
_two = st.binary(min_size=2, max_size=2)


def _float(kind: pa.DataType, small: type[np.floating[Any]]) -> st.SearchStrategy[Made]:
    return _column(
        "number",
        _floats,
        lambda values: pa.array([None if one is None else small(one) for one in values], kind),
        lambda value: _finer(small(value)),
    )


def _finer(value: Any) -> Any:
    """A float as the shortest decimal that reads as it; NaN is null."""
    return None if value != value else float(str(value))


def _decimal(kind: pa.DataType) -> st.SearchStrategy[Made]:
    if kind.scale == 0:
        return _column("integer", _small.map(Decimal), _of(kind), int)
    return _column("number", _small.map(lambda value: Decimal(value).scaleb(-kind.scale)), _of(kind), float)


def _stamp(unit: str, zone: str | None, ticks: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Made]:
    """Times of a unit; without `ticks` they are between 2001 and 2023."""
    factor = _PER[unit]
    recent = _moments.flatmap(lambda at: st.integers(0, factor - 1).map(lambda more: at * factor + more))
    return _column("time", recent if ticks is None else ticks, _ticks(pa.timestamp(unit, zone)), lambda value: value * 10**6 // factor)


def _midnight(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days * moment.DAY


def _interval(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else (0, value, 0) for value in values], pa.month_day_nano_interval())


def _union(values: list[Any]) -> pa.Array:
    return pa.UnionArray.from_sparse(
        pa.array([0] * len(values), pa.int8()), [pa.array(values, pa.int64()), pa.nulls(len(values), pa.string())]
    )


def _all(group: Group, values: st.SearchStrategy[Any], *types: pa.DataType) -> dict[str, st.SearchStrategy[Made]]:
    """Columns of some types that hold the same values."""
    return {str(kind): _column(group, values, _of(kind), _same) for kind in types}


def _ticks(kind: pa.DataType) -> Callable[[list[Any]], pa.Array]:
    """Integers as times of a type."""
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    return lambda values: pa.array(values, width).cast(kind)


def _encoded(kind: pa.DataType) -> Callable[[list[Any]], pa.Array]:
    """Text as bytes of a type."""
    return lambda values: pa.array(values, pa.string()).cast(pa.binary()).cast(kind)


def _anything(kind: pa.DataType) -> st.SearchStrategy[Made]:
    """Bytes, some of which are not text."""
    return st.lists(_two, min_size=ROWS, max_size=ROWS).map(lambda values: _bytes(values, kind))


def _flags(values: list[Any]) -> pa.Array:
    return _stored(pa.bool8())([None if one is None else int(one) for one in values])


def _uuids(values: list[Any]) -> pa.Array:
    return _stored(pa.uuid())([None if one is None else one.bytes for one in values])


def _texts_and_numbers() -> dict[str, st.SearchStrategy[Made]]:
    whole = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    decimals = [kind(9, scale) for kind in (pa.decimal32, pa.decimal64, pa.decimal128, pa.decimal256) for scale in (0, 2)]
    binaries = (pa.binary(), pa.large_binary(), pa.binary_view())
    return {
        **_all("text", _texts, pa.string(), pa.large_string(), pa.string_view()),
        **{str(kind): _column("text", _texts, _encoded(kind), _same) for kind in binaries},
        **{f"{kind}, any": _anything(kind) for kind in (*binaries, pa.binary(2))},
        **_all("integer", _small, *whole),
        "int64, any": _column("integer", st.integers(-(2**63), 2**63 - 1), _of(pa.int64()), _same),
        "uint64, any": _column("integer", st.integers(0, 2**64 - 1), _of(pa.uint64()), _same),
        "float16": _float(pa.float16(), np.float16),
        "float32": _float(pa.float32(), np.float32),
        "float64": _float(pa.float64(), np.float64),
        **{str(kind): _decimal(kind) for kind in decimals},
        "bool": _column("boolean", st.booleans(), _of(pa.bool_()), _same),
        "bool8": _column("boolean", st.booleans(), _flags, _same),
        "null": st.just(Made(pa.nulls(ROWS), "nothing", [None] * ROWS)),
        "uuid": _column("text", st.uuids(), _uuids, str),
        "json": _column("text", st.just('{"a":1}'), _stored(pa.json_(pa.string())), _same),
    }


def _times() -> dict[str, st.SearchStrategy[Made]]:
    days = st.dates(dt.date(2001, 1, 1), dt.date(2023, 1, 1))
    texts = _moments.map(lambda at: dt.datetime.fromtimestamp(at, dt.UTC).isoformat())
    return {
        **{f"timestamp {unit} {zone}": _stamp(unit, zone) for unit in _PER for zone in (None, "UTC", "Asia/Kathmandu")},
        **{f"timestamp {unit}, any": _stamp(unit, None, st.integers(-(2**63) + 1, 2**63 - 1)) for unit in _PER},
        **{str(kind): _column("time", days, _of(kind), _midnight) for kind in (pa.date32(), pa.date64())},
        "milliseconds": _column("integer", _moments.map(lambda at: at * 1_000), _of(pa.int64()), _same),
        "RFC 3339": _column("text", texts, _of(pa.string()), _same),
    }


def _others() -> dict[str, st.SearchStrategy[Made]]:
    lists = (pa.list_(pa.int64()), pa.large_list(pa.int64()), pa.list_view(pa.int64()), pa.large_list_view(pa.int64()))
    clocks = (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"), *(pa.duration(unit) for unit in _PER))
    pair = pa.fixed_shape_tensor(pa.int32(), [2])
    return {
        **{str(kind): _column("unreadable", _small, _ticks(kind), _same) for kind in clocks},
        **_all("unreadable", st.lists(_small, max_size=2), *lists),
        **_all("unreadable", st.just(["a"]), pa.list_(pa.string())),
        **_all("unreadable", st.tuples(_small, _small).map(list), pa.list_(pa.int64(), 2)),
        **_all("unreadable", _small.map(lambda value: {"a": value}), pa.struct([("a", pa.int64())])),
        **_all("unreadable", _small.map(lambda value: [("a", value)]), pa.map_(pa.string(), pa.int64())),
        "interval": _column("unreadable", _small, _interval, _same),
        "union": _column("unreadable", _small, _union, _same),
        "opaque": _column("unreadable", st.just(b"1"), _stored(pa.opaque(pa.binary(), "thing", "maker")), _same),
        "tensor": st.just(Made(_stored(pair)([[1, 2]] * ROWS), "unreadable", [[1, 2]] * ROWS)),
    }


def _bytes(values: Sequence[bytes], kind: pa.DataType) -> Made:
    """Any bytes; text if all of them are."""
    try:
        return Made(pa.array(values, kind), "text", [value.decode() for value in values])
    except UnicodeDecodeError:
        return Made(pa.array(values, kind), "unreadable", list(values))


def _dictionary(made: Made) -> Made:
    """The same values as a dictionary, where Arrow can make one. It would write durations as plain integers."""
    if pa.types.is_duration(made.array.type):
        return made
    try:
        return made._replace(array=made.array.dictionary_encode())
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, AttributeError):
        return made


def _run_ends(made: Made) -> Made:
    try:
        return made._replace(array=pc.run_end_encode(made.array))
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return made


PLAIN = _texts_and_numbers() | _times() | _others()
COLUMNS = (
    st.sampled_from(sorted(PLAIN))
    .flatmap(PLAIN.__getitem__)
    .flatmap(lambda made: st.sampled_from([made, made, _dictionary(made), _run_ends(made)]))
)
NAMES = st.sampled_from(
    ["", " ", "x ", "a.b", "a,b", "a=b", "a*b", "a\0b", "@x", "@score", "..", "a/b", "all", "other", "null", "id", "c0", "numbers", "position", "`", "a`b", "'", '"', "\\", "\n", "%", "{}", "<b>", "[red]", "é" * 60, "x" * 300, "\u202e", "🙂", "__index_level_0__", "score", "proba_x", "pred_low", "extra"]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)  # fmt: skip
KEYS = [str(uuid.UUID(int=place)) for place in range(ROWS)]
