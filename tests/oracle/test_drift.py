"""PSI and JS of the oracle against numbers computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.oracle.bins import CategoricalBins, NumericBins
from tests.oracle.drift import js, merged, psi
from tests.oracle.value import INVALID, NULL, numbers, text, texts


def test_psi_of_two_bins_is_the_formula() -> None:
    """With p = 30.5/101 and 70.5/101 against q = 50.5/101 twice: (p - q) ln(p / q), summed."""
    by_hand = (30.5 - 50.5) / 101 * math.log(30.5 / 50.5) + (70.5 - 50.5) / 101 * math.log(70.5 / 50.5)
    assert psi([30, 70], [50, 50], [0, 1]) == pytest.approx(by_hand, abs=1e-15)
    assert by_hand == pytest.approx(0.1659, abs=5e-5)


def test_psi_adds_bins_of_one_group_first() -> None:
    """Bins that are one group are one bin."""
    assert psi([10, 20, 70], [25, 25, 50], [0, 0, 1]) == psi([30, 70], [50, 50], [0, 1])


def test_bins_empty_on_both_sides_leave_no_trace() -> None:
    """A pool of nothing joins another bin and changes nothing."""
    assert psi([30, 70, 0, 0], [50, 50, 0, 0], [0, 1, 10, 11]) == psi([30, 70], [50, 50], [0, 1])


def test_small_bins_become_one_pool() -> None:
    """With n = m = 100 a bin is small while c + r < 2; two of one each are a pool of two, which is large enough."""
    assert merged([(98, 99), (1, 0), (0, 1), (1, 0)], 100, 100) == [(98, 99), (2, 1)]


def test_a_small_pool_joins_the_first_of_the_smallest_bins() -> None:
    """A pool of one joins the smaller bin, and of equal ones the first."""
    assert merged([(60, 60), (20, 20), (19, 20), (1, 0)], 100, 100) == [(60, 60), (20, 20), (20, 20)]
    assert merged([(50, 50), (25, 25), (24, 26), (1, 0)], 100, 101) == [(50, 50), (26, 25), (24, 26)]


def test_an_empty_side_has_no_drift() -> None:
    """Nothing can be said of no rows."""
    assert psi([0, 0], [5, 5], [0, 1]) is None
    assert js([5, 5], [0, 0]) is None


def test_js_is_a_distance_in_base_2() -> None:
    """Equal shares are at 0, disjoint ones at 1, and (1, 0) against (1/2, 1/2) at the square root of 0.3112781."""
    assert js([3, 7], [30, 70]) == 0.0
    assert js([5, 0], [0, 9]) == 1.0
    assert js([4, 0], [5, 5]) == pytest.approx(math.sqrt(0.31127812445913283), abs=1e-15)


def test_edges_are_quantiles_and_atoms() -> None:
    """Of 64 values the k-th edge is the first that k fiftieths reach; a value of 2 % is a bin of its own."""
    assert NumericBins(np.arange(1.0, 65.0)).edges.tolist() == [float(-(-64 * k // 50)) for k in range(1, 50)]
    constant = NumericBins(np.array([7.0] * 10))
    assert constant.edges.tolist() == [7.0, np.nextafter(7.0, np.inf)]
    assert constant.codes(np.array([6.9, 7.0, 7.1, np.nan, np.inf])).tolist() == [0, 1, 2, 3, 4]


def test_numeric_groups_are_tenths_of_the_reference() -> None:
    """Bin i goes to min(9, floor(10 (before + own / 2) / total)): 50 bins of 2 % make ten groups of five."""
    bins = NumericBins(np.arange(1.0, 1001.0))
    counts = np.bincount(bins.codes(np.arange(1.0, 1001.0)), minlength=bins.size)
    totals = [sum(int(count) for count, group in zip(counts, bins.groups, strict=True) if group == which) for which in range(12)]
    assert sum(totals) == 1000
    assert all(90 <= total <= 110 for total in totals[:10])
    assert totals[10:] == [0, 0]


def test_category_groups_are_nine_and_the_rest() -> None:
    """The nine most frequent stand alone, ties by name; the others are one group with `other`."""
    values = np.array([name for place, name in enumerate("abcdefghijkl") for _ in range(20 - place)] + ["z"] * 20, dtype=object)
    bins = CategoricalBins(values)
    assert bins.kept[:3] == ["a", "z", "b"]
    assert bins.groups == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 10, 11, 12]
    assert bins.codes(np.array(["a", "new", NULL, INVALID], dtype=object)).tolist() == [0, 14, 15, 16]


def test_values_have_one_text() -> None:
    """Whole numbers without decimals, booleans in lower case, reserved words and signs encoded."""
    given = [5.0, 2.5, True, None, math.nan, "a=b,c", "null", "Other", math.inf]
    assert [text(value) for value in given] == ["5", "2.5", "true", "null", "null", "a%3Db%2Cc", "%6Eull", "Other", "invalid"]
    assert texts(pd.Series([True, False, None], dtype="boolean"), binary=True).tolist() == ["1", "0", "null"]
    assert numbers(pd.Series([1, None, 3], dtype="Int64")).tolist()[::2] == [1.0, 3.0]
