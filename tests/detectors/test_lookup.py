"""The table finds the bins that a binary search finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.summary.bins import edges
from detectors.summary.lookup import FEW, place, table_of
from tests.detectors.nasty import NUMBERS

ANY = st.floats(allow_nan=False, allow_infinity=False)


def _near(cuts: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    """Every edge with the numbers next to it, numbers about and far beyond the edges, in any order."""
    at = np.array(cuts)
    beyond = np.array([-np.inf, -1.7e308, -0.0, 0.0, 5e-324, 1.7e308])
    with np.errstate(over="ignore"):
        spread = rng.choice(at, 2 * FEW) + rng.normal(size=2 * FEW) * np.maximum(np.abs(at).max() * 1e-3, 1e-300)
        return rng.permutation(np.concatenate([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf), beyond, spread]))


def _agree(cuts: tuple[float, ...], x: np.ndarray) -> None:
    before = x.copy()
    finite = x < np.inf
    assert (place(cuts, x) == np.searchsorted(np.array(cuts), x, side="right"))[finite].all()
    assert np.array_equal(before, x, equal_nan=True)


@given(st.lists(ANY, min_size=1, max_size=120, unique=True), st.integers(0, 2**32 - 1))
def test_any_edges(values: list[float], seed: int) -> None:
    """Edges from 5e-324 apart to all of the range of floats."""
    cuts = tuple(sorted(set(np.array(values) + 0.0)))
    _agree(cuts, _near(cuts, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", sorted(NUMBERS))
def test_edges_of_a_reference(kind: str) -> None:
    """Quantiles and atoms of nasty columns, for the numbers of the column and of another."""
    rng = np.random.default_rng(3)
    if cuts := edges(NUMBERS[kind](rng, 5_000)):
        _agree(cuts, _near(cuts, rng))
        for other in ("normal", "moved", "very heavy tails"):
            _agree(cuts, NUMBERS[other](rng, 2 * FEW))


def test_nan_and_infinity_are_anywhere() -> None:
    """They get some count of edges, for they have bins of their own."""
    found = place((0.0, 1.0, 2.0), np.concatenate([np.full(FEW, np.nan), [np.inf, -np.inf, 1.5]]))
    assert ((found >= 0) & (found <= 3)).all()
    assert found[-1] == 2


@pytest.mark.parametrize("kind", ["normal", "ties", "zero inflation", "huge integers", "times", "tiny"])
def test_a_table_is_used(kind: str) -> None:
    """Usual columns have a table, so that the tests above try it."""
    assert table_of(edges(NUMBERS[kind](np.random.default_rng(3), 5_000))) is not None


def test_a_table_takes_little_memory() -> None:
    """Also one of many cells, of a column with heavy tails: a process keeps those of thousands of columns."""
    table = table_of(edges(np.random.default_rng(3).lognormal(0, 3, 5_000)))
    assert table is not None
    assert len(table.first) > 1 << 14
    assert table.first.nbytes <= 1 << 18
