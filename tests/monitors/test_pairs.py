"""Rows of the sides of a comparison, and their pairs."""

from __future__ import annotations

import numpy as np
import pytest

from monitors.evidence.pairs import _ordered


@pytest.mark.parametrize("times", [1, 3, 10_000])
@pytest.mark.parametrize("rows", [0, 1, 200])
def test_rows_are_ordered_by_time_and_id(rows: int, times: int) -> None:
    """Of one time by id, whatever the order in which they came."""
    rng = np.random.default_rng(1)
    ts, ids = rng.integers(0, times, rows), np.array([*(f"r{place}" for place in rng.permutation(rows)), None], object)[:-1]
    expected = sorted(range(rows), key=lambda place: (ts[place], ids[place]))
    assert _ordered(ts, ids).tolist() == expected
