"""Groups, PSI and JS against loops and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import euclidean, jensenshannon

from core.block import Floats
from core.contract import Column, Kind
from detectors.drift.hellinger import hellinger
from detectors.drift.js import js
from detectors.drift.psi import psi
from detectors.evidence import Counts
from detectors.groups import groups
from detectors.quality.rate import NULL_RATE
from detectors.spec import NoParams

COUNT = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 500))
NUMERIC = Column(name="x", kind=Kind.NUMERIC, edges=tuple(float(i) for i in range(24)))
CATEGORICAL = Column(name="c", kind=Kind.CATEGORICAL, categories=tuple(f"v{i:02}" for i in range(15)))


def counts(column: Column) -> st.SearchStrategy[list[int]]:
    return st.lists(COUNT, min_size=column.bins, max_size=column.bins)


def grouped(column: Column, whole: list[int], side: list[int]) -> list[int]:
    """Rule 5, first sentence: counts by group."""
    if column.numeric:
        special = len(column.edges) + 1
        total, found, before = sum(whole[:special]), [0] * 10, 0
        for i in range(special):
            found[min(9, 10 * (2 * before + whole[i]) // (2 * total))] += side[i]
            before += whole[i]
        return found + side[special:]
    k = len(column.categories)
    top = sorted(range(k), key=lambda i: (-whole[i], i))[:9]
    return [side[i] for i in top] + [sum(side[i] for i in range(k + 1) if i not in top), *side[k + 1 :]]


def rule_5(target: list[int], reference: list[int]) -> float:
    """Rule 5, second paragraph, written as it is read."""
    n, m = sum(target), sum(reference)
    left, pool = [], [0, 0]
    for c, r in zip(target, reference, strict=True):
        if min(n, m) * (c + r) / (n + m) < 1:
            pool = [pool[0] + c, pool[1] + r]
        else:
            left.append([c, r])
    if min(n, m) * sum(pool) / (n + m) >= 1:
        left.append(pool)
    else:
        smallest = min(left, key=sum)
        smallest[0] += pool[0]
        smallest[1] += pool[1]
    b = len(left)
    value = 0.0
    for c, r in left:
        p, q = (c + 0.5) / (n + 0.5 * b), (r + 0.5) / (m + 0.5 * b)
        value += (p - q) * math.log(p / q)
    return value


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([NUMERIC, CATEGORICAL]))
def test_psi_is_rule_5(data: st.DataObject, column: Column) -> None:
    """Groups, pool, prior and sum are those of the rule, for any counts."""
    whole, target, baseline = (data.draw(counts(column)) for _ in range(3))
    whole[0] += 1
    target[-1] += 1
    baseline[1] += 1
    expected = rule_5(grouped(column, whole, target), grouped(column, whole, baseline))
    actual = psi(np.array(target, float), np.array(baseline, float), groups(column, np.array(whole, float)))
    assert float(actual) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_psi_of_a_block_is_psi_of_each() -> None:
    """Leading dimensions broadcast, and an empty side has no value."""
    rng = np.random.default_rng(3)
    target = rng.poisson(2.0, (4, 3, NUMERIC.bins)).astype(float)
    baseline = rng.poisson(20.0, (3, NUMERIC.bins)).astype(float)
    target[1, 2] = 0
    baseline[0] = 0
    group = groups(NUMERIC, baseline.sum(0))
    block = psi(target, baseline, group)
    each = [[psi(target[i, j], baseline[j], group) for j in range(3)] for i in range(4)]
    np.testing.assert_array_equal(np.array(each), block)
    assert np.isnan(block[:, 0]).all()
    assert np.isnan(block[1, 2])
    assert np.isfinite(block[2, 1:]).all()


def test_psi_of_the_same_is_zero() -> None:
    """Nothing moved: 0, also when one side is many times the other in every bin."""
    side = np.arange(1.0, NUMERIC.bins + 1)
    assert float(psi(side, side, groups(NUMERIC, side))) == 0.0


def test_a_surge_of_nulls_is_seen() -> None:
    """5 % of nulls where there were none: a group of their own, about 0.13 and not merged away."""
    before = np.array([*[100.0] * 25, 0.0, 0.0])
    after = np.array([*[9.5] * 25, 12.5, 0.0])
    assert 0.1 < float(psi(after, before, groups(NUMERIC, before))) < 0.4


def test_groups_without_a_reference_are_even() -> None:
    """Declared bins without counts are shared out evenly."""
    even = groups(NUMERIC, np.zeros(NUMERIC.bins))
    assert even.tolist()[:4] == [0, 0, 1, 1]
    assert even.tolist()[-3:] == [9, 10, 11]


def test_few_categories_are_a_group_each() -> None:
    """Fewer than ten categories stand alone; other, unseen, null and invalid follow in this order."""
    column = Column(name="c", kind=Kind.CATEGORICAL, categories=("a", "b"))
    assert groups(column, np.array([5.0, 9.0, 1.0, 0.0, 0.0, 0.0])).tolist() == [1, 0, 9, 10, 11, 12]


@given(st.lists(st.tuples(COUNT, COUNT), min_size=2, max_size=30))
def test_js_is_scipys(cells: list[tuple[int, int]]) -> None:
    """The distance in base 2 over all bins."""
    target, baseline = (np.array([cell[side] for cell in cells], float) for side in (0, 1))
    target[0] += 1
    baseline[1] += 1
    assert float(js(target, baseline)) == pytest.approx(jensenshannon(target, baseline, base=2), abs=1e-9)


def test_js_reaches_one_and_has_no_value_without_rows() -> None:
    """Disjoint sides are 1 apart; an empty side is NaN; leading dimensions broadcast."""
    target: Floats = np.array([[3.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    assert js(target, np.array([7.0, 0.0])).tolist()[:2] == [0.0, 1.0]
    assert np.isnan(js(target, np.array([7.0, 0.0]))[2])


@given(st.lists(st.tuples(COUNT, COUNT), min_size=2, max_size=30))
def test_hellinger_is_the_distance_of_square_roots(cells: list[tuple[int, int]]) -> None:
    """Half the Euclidean distance, squared, of the roots of the shares; never above 1."""
    target, baseline = (np.array([cell[side] for cell in cells], float) for side in (0, 1))
    target[0] += 1
    baseline[1] += 1
    roots = [np.sqrt(side / side.sum()) for side in (target, baseline)]
    assert float(hellinger(target, baseline)) == pytest.approx(euclidean(*roots) / math.sqrt(2), abs=1e-12)


def test_hellinger_reaches_one_and_has_no_value_without_rows() -> None:
    """Disjoint sides are 1 apart; an empty side is NaN; leading dimensions broadcast."""
    target: Floats = np.array([[3.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    assert hellinger(target, np.array([7.0, 0.0])).tolist()[:2] == [0.0, 1.0]
    assert np.isnan(hellinger(target, np.array([7.0, 0.0]))[2])


def test_null_rate_counts_all_rows() -> None:
    """Nulls over all rows, invalid ones included; NaN without rows."""
    column = Column(name="x", kind=Kind.NUMERIC, edges=(0.0,))
    counts = np.array([[4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    value = NULL_RATE.compute(Counts(counts, column, groups(column, counts[0])), None, NoParams()).value
    assert value[0] == 0.2
    assert np.isnan(value[1])
