"""How strongly a feature goes together with an outcome, whatever the order of rows and however many categories there are."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from core.block import Categories
from detectors.explain.influence import association


def test_the_order_in_which_categories_come_tells_nothing() -> None:
    """To the last bit: the root of a rounding error is ten thousand times as large."""
    rng = np.random.default_rng(4)
    texts, y, place = rng.choice(list("abcdefgh"), 400), np.asarray(rng.normal(size=400), np.float64), rng.integers(0, 5, 400)
    expected = association(Categories.of(texts.tolist()), y, np.asarray(place, np.int64), 5)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(400)
        np.testing.assert_array_equal(
            association(Categories.of(texts[order].tolist()), np.asarray(y[order], np.float64), place[order], 5), expected
        )


def test_many_categories_in_many_places_take_as_much_memory_as_rows() -> None:
    """A text that names each row has no association, and needs no table of all names in all places."""
    many, places = 3_000, 2_000
    names = Categories(np.arange(many, dtype=np.int32), [f"row {at}" for at in range(many)])
    place = np.arange(many) % places
    tracemalloc.start()
    found = association(names, np.asarray(np.arange(many) % 7, np.float64), place, places)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found.any()
    assert most < 4_000_000


def test_an_association_is_the_root_of_epsilon_squared() -> None:
    """By hand, in each place: of two categories whose means differ, and of one that does not vary."""
    y, place = np.array([0.0, 1, 3, 4, 5, 6]), np.array([0, 0, 0, 0, 1, 1])
    found = association(Categories.of(["b", "b", "a", "a", "a", "a"]), y, place, 2)
    assert found == pytest.approx([np.sqrt(1 - (1.0 / 2) / (10.0 / 3)), 0.0])
