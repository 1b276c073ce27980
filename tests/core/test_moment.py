"""Times are read strictly, and written so that they read back."""

from __future__ import annotations

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
