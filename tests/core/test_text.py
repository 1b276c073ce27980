"""Texts of values are unambiguous."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core import text


@given(st.text(max_size=200))
def test_quoted_texts_read_back(value: str) -> None:
    """Every string survives quoting, and never looks like one of the three words."""
    quoted = text.quote(value)
    assert text.unquote(quoted) == value
    assert quoted not in {text.NULL, text.INVALID, text.OTHER}
    assert not set(quoted) & {",", "="}


def test_numbers_and_booleans() -> None:
    """Whole numbers have no decimals, in a binary model true is 1."""
    assert [text.of(v) for v in (5, 5.0, -0.0, 2.5, 10**20, True, False, None)] == ["5", "5", "0", "2.5", "1e+20", "true", "false", "null"]
    assert text.class_of(True, binary=True) == "1"
    assert text.class_of(True, binary=False) == "true"


def test_what_is_no_value_is_invalid() -> None:
    """Objects, not-a-number, and strings above 4 KiB."""
    values: list[object] = [[], {}, float("nan"), float("inf"), "x" * 4097, "é" * 2049]
    assert {text.of(value) for value in values} == {text.INVALID}
    assert text.of("x" * 4096) == "x" * 4096
