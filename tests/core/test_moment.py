"""Times are read strictly, and written so that they read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment


@given(st.integers(moment.EARLIEST, moment.LATEST))
def test_text_reads_back(microseconds: int) -> None:
    """Every time survives its own text."""
    assert moment.parse(moment.text(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2022-07-01T00:00:00Z", "2022-07-01T00:00:00Z"),
        ("2022-07-01t02:00:00+02:00", "2022-07-01T00:00:00Z"),
        ("2022-07-01T00:00:00.1234567899z", "2022-07-01T00:00:00.123456Z"),
        (1_656_633_600_000, "2022-07-01T00:00:00Z"),
        (1_656_633_600_000.5, "2022-07-01T00:00:00.000500Z"),
    ],
)
def test_these_are_times(value: object, expected: str) -> None:
    """RFC 3339 with any offset, and milliseconds; finer digits are cut."""
    assert moment.text(moment.parse(value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2022-07-01T00:00:00",
        "2022-07-01",
        "yesterday",
        "",
        True,
        None,
        [],
        float("nan"),
        float("inf"),
        10**30,
        "2022-13-01T00:00:00Z",
        "٢٠٢٢-07-01T00:00:00Z",
    ],
)
def test_these_are_none(value: object) -> None:
    """A time without zone, a date, a word or a boolean is refused."""
    with pytest.raises(ValueError, match="time"):
        moment.parse(value)


@pytest.mark.parametrize(
    ("value", "fault", "right"),
    [
        ("2022-07-01T00:00:00", "no time zone", "2022-07-01T00:00:00Z"),
        ("2022-07-01T00:00:00+05", "an offset without minutes", "2022-07-01T00:00:00+05:00"),
        ("2022-07-01 00:00:00.5-0330", "an offset without a colon", "2022-07-01T00:00:00.5-03:30"),
        ("2022-07-01T00:00:00 Z", "a space before its time zone", "2022-07-01T00:00:00Z"),
        ("2022-07-01T00:00:00 +05", "a space before its time zone and an offset without minutes", "2022-07-01T00:00:00+05:00"),
        ("2022-07-01T00:00:00UTC", "UTC as its time zone", "2022-07-01T00:00:00Z"),
        ("2022-07-01T00:00Z", "no seconds", "2022-07-01T00:00:00Z"),
        ("2022-07-01", "a date without a time of day", "2022-07-01T00:00:00Z"),
        ("2022-07-01T23:59:60Z", "a leap second", "second 59"),
        ("2022-07-01T00:00:00+05:60", "an offset that does not exist", "its minutes to 59"),
        ("2022-07-01T00:00:00-24:00", "an offset that does not exist", "its hours go to 23"),
        ("2022-02-30T00:00:00Z", "not an RFC 3339 time", "no such day"),
        ("1 July 2022", "not an RFC 3339 time", "2022-07-01T00:00:00Z"),
    ],
)
def test_what_is_no_time_is_told_with_the_right_spelling(value: str, fault: str, right: str) -> None:
    """The reason says what is wrong and what to write, and the spelling that it gives is valid."""
    with pytest.raises(ValueError, match=re.escape(fault)) as caught:
        moment.parse(value)
    assert right in str(caught.value).removeprefix(repr(value))
    if right.startswith("2022"):
        assert moment.text(moment.parse(right)).startswith("2022-0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2022-07-01T00:00:00 05:00", "2022-06-30T19:00:00Z"),
        ("2022-07-01 00:00:00.5 05:30", "2022-06-30T18:30:00.500000Z"),
        ("2022-07-01T00:00:00Z", "2022-07-01T00:00:00Z"),
        ("1656633600000", "2022-07-01T00:00:00Z"),
        ("-1000", "1969-12-31T23:59:59Z"),
    ],
)
def test_a_time_in_an_address_needs_no_escapes(value: str, expected: str) -> None:
    """A `+` is read as a space there, and digits are milliseconds."""
    assert moment.text(moment.parse_query(value)) == expected


def test_an_address_takes_no_other_times() -> None:
    """The reason is that of `parse`."""
    for value, fault in (("2022-07-01T00:00:00 Z", "a space"), ("2022-07-01T00:00:00 05", "without minutes"), ("9" * 40, "not an RFC")):
        with pytest.raises(ValueError, match=fault):
            moment.parse_query(value)


def test_a_start_may_be_a_date() -> None:
    """It is midnight in UTC; other ways to write a day are none."""
    assert moment.parse_start("2022-07-01") == moment.parse("2022-07-01T00:00:00Z") == moment.parse_start("2022-07-01T05:00:00+05:00")
    for value in ("2022-W26-5", "20220701", "2022-02-30"):
        with pytest.raises(ValueError, match="not an RFC 3339 time"):
            moment.parse_start(value)
