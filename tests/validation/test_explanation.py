"""Measures of attributions keep what they promise on made rows."""

from __future__ import annotations

from validation.explanation import lines


def test_attributions_equal_plain_numpy_and_a_leaning_is_named() -> None:
    """Beside scikit-learn's NDCG, and a model that leans on nothing."""
    assert [line for line in lines() if not line.holds] == []
