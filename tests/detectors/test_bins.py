"""Bins are made from the reference exactly as docs/measures.md says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.block import Categories
from core.contract import Column, Kind
from detectors.summary.bins import bins, edges, kept, number_bins, tails, text_bins


@given(st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e3, 1e3)), min_size=1, max_size=300))
def test_edges_are_quantiles_and_atoms(values: list[float]) -> None:
    """Edges are the order statistics at k/50, and both sides of each value that makes 2 % or more."""
    ordered, n = sorted(values), len(values)
    expected = {float(np.quantile(ordered, k / 50, method="inverted_cdf")) for k in range(1, 50)}
    for value in set(values):
        if values.count(value) / n >= 0.02:
            expected |= {value, float(np.nextafter(value, np.inf))}
    assert edges(np.array(values)) == tuple(sorted(expected))
    assert edges(np.array([*values, np.nan, np.inf])) == edges(np.array(values))


def test_an_atom_has_a_bin_of_its_own() -> None:
    """A value that makes 2 % of the reference shares its bin with no other."""
    x = np.concatenate([np.zeros(2), np.linspace(-1, 1, 98) ** 3])
    column = Column(name="x", kind=Kind.NUMERIC, edges=edges(x))
    assert set(x[number_bins(column, x) == number_bins(column, np.zeros(1))[0]]) == {0.0}


def test_nothing_gives_no_edges() -> None:
    """A column without a finite value has one value bin and no tails."""
    nothing = np.array([np.nan, np.inf])
    assert edges(nothing) == ()
    assert tails(nothing) is None
    assert number_bins(Column(name="x", kind=Kind.NUMERIC), np.array([np.nan, np.inf, 7.0])).tolist() == [1, 2, 0]


def test_bins_are_half_open() -> None:
    """A number on an edge is in the bin that the edge opens; beyond the last edge everything is in the last bin."""
    column = Column(name="x", kind=Kind.NUMERIC, edges=(0.0, 1.0))
    assert number_bins(column, np.array([-1e300, -0.0, 0.5, 1.0, 1e300, np.nan, np.inf])).tolist() == [0, 1, 1, 2, 2, 3, 4]


def test_tails_are_order_statistics() -> None:
    """p1 and p99 of 1..200 are 2 and 198."""
    assert tails(np.arange(1.0, 201.0)) == (2.0, 198.0)


def test_the_top_500_are_kept() -> None:
    """The most frequent categories have bins, ties by name; the others are known, null and invalid are none."""
    texts = [f"v{i:03}" for i in range(502)] + ["v501", "null", "null", "invalid"]
    categories, others = kept(Categories.of(texts))
    assert len(categories) == 500
    assert categories[:2] == ("v501", "v000")
    assert others == ("v499", "v500")


def test_texts_fall_into_bins() -> None:
    """Kept, other, unseen, null and invalid each have their bin."""
    column = Column(name="c", kind=Kind.CATEGORICAL, categories=("b", "a"), others=("o",))
    values = Categories.of(["a", "b", "o", "x", "null", "invalid", "%6Eull"])
    assert text_bins(column, values).tolist() == [1, 0, 2, 3, 4, 5, 3]


def test_values_of_another_kind_are_refused() -> None:
    """Numbers in a categorical column are a fault of the program."""
    column = Column(name="c", kind=Kind.CATEGORICAL)
    with pytest.raises(TypeError, match="'c'"):
        bins(column, np.zeros(1))
