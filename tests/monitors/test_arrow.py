"""Each Arrow type is read as what it is, for what it is used, or refused with column, type and remedy."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.error import ConfigError
from monitors.reference.arrow import Use, read, vector_size
from monitors.reference.arrow_time import after

KEY = uuid.UUID(int=7)
DAY = dt.date(2024, 1, 2)
MOMENT = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
MICROS = 1_704_153_600_000_000
NUMBERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)]


def column(values: Any, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    """Values as a column of two parts."""
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return pa.chunked_array([array[:1], array[1:]])


def listed(values: pa.ChunkedArray, use: Use) -> list[Any]:
    return list(read("x", values, use).to_pylist())


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_text_is_text_in_every_layout(kind: pa.DataType) -> None:
    """Views, and bytes that are UTF-8, plain or in a dictionary, are the ids and categories that they spell."""
    values = column(
        pa.array([b"ab", None, "é".encode()], pa.binary()).cast(kind)
        if kind != pa.binary(2)
        else pa.array([b"ab", None, b"\xc3\xa9"], kind)
    )
    assert listed(values, Use.ID) == listed(values, Use.CATEGORY) == ["ab", None, "é"]
    held = pa.array(["ab", "é"]).cast(kind) if kind != pa.binary(2) else pa.array([b"ab", b"\xc3\xa9"], kind)
    coded = column(pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), held))
    assert listed(coded, Use.ID) == listed(coded, Use.CATEGORY) == ["ab", None, "é"]


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_integers_are_numbers_and_ids(kind: pa.DataType) -> None:
    """Of any width, plain, in a dictionary, or with run ends."""
    plain = pa.array([1, None, 100], kind)
    for values in (plain, plain.dictionary_encode(), pc.run_end_encode(plain)):
        assert listed(column(values), Use.NUMBER) == listed(column(values), Use.CATEGORY) == [1, None, 100]
        assert listed(column(values), Use.ID) == ["1", None, "100"]


@pytest.mark.parametrize("kind", [pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(38, 2), pa.decimal256(76, 2)], ids=str)
def test_decimals_are_the_numbers_that_json_would_give(kind: pa.DataType) -> None:
    """Those without decimals are whole, as ids of any length."""
    assert listed(column([Decimal("0.57"), None, Decimal("1.25")], kind), Use.NUMBER) == [0.57, None, 1.25]
    whole = column([Decimal(12345), None], type(kind) and getattr(pa, str(kind).split("(")[0])(kind.precision, 0))
    assert listed(whole, Use.ID) == ["12345", None]
    assert listed(whole, Use.CATEGORY) == [12345, None]
    assert listed(column([Decimal(10**30)], pa.decimal128(38, 0)), Use.ID) == [str(10**30)]


def test_nan_is_null_and_small_floats_are_the_decimals_they_stand_for() -> None:
    """As a category a float32 of 0.1 is 0.1; as a number it is what it is."""
    for kind, exact in ((pa.float16(), float(np.float16(0.1))), (pa.float32(), float(np.float32(0.1))), (pa.float64(), 0.1)):
        values = column(pa.array([0.1, None, float("nan"), 2.0], pa.float64()).cast(kind))
        assert listed(values, Use.NUMBER) == [exact, None, None, 2.0]
        assert listed(values, Use.CATEGORY) == [0.1, None, None, 2.0]


def test_extensions_are_what_they_hold() -> None:
    """A UUID is its text, JSON is text, bool8 is a boolean."""
    assert listed(column([KEY.bytes, None], pa.uuid()), Use.ID) == [str(KEY), None]
    assert listed(column(['{"a": 1}'], pa.json_()), Use.CATEGORY) == ['{"a": 1}']
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))
    assert listed(column(flags), Use.CATEGORY) == [True, False, None]


@pytest.mark.parametrize(
    "values",
    [
        *(pa.array([MICROS * 1_000 // by], pa.timestamp(unit, zone)) for unit, by in (("s", 10**9), ("ms", 10**6), ("us", 1_000), ("ns", 1)) for zone in (None, "UTC", "America/New_York")),
        pa.array([DAY], pa.date32()),
        pa.array([DAY], pa.date64()),
        pa.array([MICROS // 1_000]),
        pa.array([MICROS // 1_000], pa.uint64()),
        pa.array([MICROS / 1_000]),
        pa.array([Decimal(MICROS // 1_000)]),
        pa.array(["2024-01-02T00:00:00Z"]),
        pa.array(["2024-01-02T02:00:00+02:00"], pa.string_view()),
        pa.array(["2024-01-02 00:00:00"]).dictionary_encode(),
        pa.array([b"2024-01-02"]),
        pa.array([MOMENT]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)  # fmt: skip
def test_times_are_microseconds_in_utc(values: pa.Array) -> None:
    """Of every unit and zone, dates, milliseconds and RFC 3339 texts; a time without a zone is UTC."""
    assert read("ts", column(pa.concat_arrays([values, pa.nulls(1, values.type)])), Use.TIME).cast(pa.int64()).to_pylist() == [MICROS, None]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([0, MICROS * 1_000]), r"column 'ts', row 1: 1704153600000000000 as milliseconds .* \(it looks like nanoseconds"),
        (pa.array([0, MICROS]), r"row 1: 1704153600000000 as milliseconds .* \(it looks like microseconds"),
        (pa.array([0, 2**64 - 1], pa.uint64()), r"row 1: 18446744073709551615 as milliseconds"),
        (pa.array([0, -(2**63)]), r"row 1: -9223372036854775808 as milliseconds"),
        (pa.array([0.0, float("inf")]), r"row 1: inf as milliseconds"),
        (pa.array([0, 2**62], pa.timestamp("s")), r"row 1: 4611686018427387904 s since 1970"),
        (pa.array([0, 2**62], pa.timestamp("ms")), r"row 1: 4611686018427387904 ms since 1970"),
        (pa.array([0, 2**62], pa.timestamp("us")), r"row 1: 4611686018427387904 us since 1970"),
        (pa.array([0, 2**31 - 1], pa.date32()), r"row 1: 2147483647 days since 1970"),
        (pa.array([None, dt.datetime(1, 1, 1, tzinfo=dt.UTC)], pa.timestamp("us")), r"row 1: -62135596800000000 us since 1970"),
        (pa.array(["2024-01-02T00:00:00Z", "yesterday"]), r"row 1: 'yesterday' is not an RFC 3339 time"),
        (pa.array([None, "9999-12-31T00:00:00Z"]), r"row 1: '9999-12-31T00:00:00Z' is not a time that can be kept"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_time_that_cannot_be_kept_is_named(values: pa.Array, message: str) -> None:
    """Column, row and value, and what the unit may be: nothing wraps to another year."""
    with pytest.raises(ConfigError, match=message):
        read("ts", column(values), Use.TIME)


def test_times_that_all_lie_before_the_earliest_are_of_another_unit() -> None:
    """Seconds that are read as milliseconds are January 1970; one time that is late enough makes the column right."""
    seconds = read("ts", column([MICROS // 1_000_000] * 2), Use.TIME)
    with pytest.raises(ConfigError, match="column 'ts': every time lies before 1971-01-01T00:00:00Z, the last is 1970-01-20"):
        after("ts", seconds, 365 * 86_400_000_000)
    after("ts", read("ts", column([0, MICROS // 1_000]), Use.TIME), 365 * 86_400_000_000)


@pytest.mark.parametrize(
    ("values", "use", "message"),
    [
        (pa.array([[1]]), Use.CATEGORY, r"column 'x' of type list<item: int64> cannot be read as a class .*\(write a column for each element"),
        (pa.array([[1]], pa.list_view(pa.int64())), Use.NUMBER, r"of type list_view.* cannot be read as a number \(write numbers"),
        (pa.array([{"a": 1}]), Use.CATEGORY, r"of type struct.*\(write a column for each field"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), Use.CATEGORY, r"of type map.*\(write a column for each key"),
        (pa.array([1], pa.duration("s")), Use.CATEGORY, r"of type duration\[s\].*\(write a number, such as seconds"),
        (pa.array([1], pa.time32("s")), Use.CATEGORY, r"of type time32\[s\].*\(write a number"),
        (pa.array([DAY]), Use.CATEGORY, r"of type date32\[day\].*\(write what it tells as a number or a text"),
        (pa.array([DAY]), Use.ID, r"of type date32\[day\] cannot be read as an id \(write ids as texts or integers"),
        (pa.array([1.0]), Use.ID, r"of type double cannot be read as an id"),
        (pa.array([True]), Use.TIME, r"of type bool cannot be read as a time"),
        (pa.array(["1"]), Use.NUMBER, r"of type string cannot be read as a number"),
        (pa.array([b"a", b"\xff\xfe"]), Use.CATEGORY, r"column 'x' of type binary, row 1: b'\\xff\\xfe' is not UTF-8 \(write text"),
        (pa.array([b"\xff"]).dictionary_encode(), Use.ID, r"row 0: b'\\xff' is not UTF-8"),
        (pa.DictionaryArray.from_arrays(pa.array([5]), pa.array(["a"]), safe=False), Use.ID, r"cannot be read: .* \(write the file again"),
        (pa.ExtensionArray.from_storage(pa.opaque(pa.binary(), "x", "y"), pa.array([b"1"])), Use.CATEGORY, r"opaque.*\(cast it to text"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)  # fmt: skip
def test_what_cannot_be_read_is_refused(values: pa.Array, use: Use, message: str) -> None:
    """With the column, its type or the row at fault, and what to write."""
    with pytest.raises(ConfigError, match=message):
        read("x", column(values), use)


def test_a_dictionary_of_nulls_has_no_vectors() -> None:
    """Nor has any other column without values, whatever type holds them."""
    empty = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), pa.nulls(1))
    assert vector_size(pa.chunked_array([empty])) == vector_size(pa.chunked_array([pa.nulls(2)])) == 0
