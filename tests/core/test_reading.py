"""The lists of a reading's fields."""

from __future__ import annotations

from core.reading import DOCUMENTS, FIELDS, NUMBERS, SHOWN, TIMES


def test_fields_are_told_apart_by_their_types() -> None:
    """Numbers that may be missing, documents, times; the API keeps two to itself."""
    assert NUMBERS == ("value", "lower", "upper", "baseline_value", "n_effective")
    assert DOCUMENTS == ("params", "threshold", "evidence")
    assert set(TIMES) < set(FIELDS)
    assert (len(FIELDS) - len(SHOWN), FIELDS[: len(SHOWN)]) == (2, SHOWN)
