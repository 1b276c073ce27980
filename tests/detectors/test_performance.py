"""Performance measures against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from core.block import Ints
from detectors.evidence import Confusion
from detectors.performance.average import Average
from detectors.performance.f_score import f_score
from detectors.performance.roc_auc import mean_roc_auc, roc_auc, roc_auc_binned
from detectors.summary.score import LOGIT, score_edges

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def confusion(pairs: list[tuple[int, int]], classes: int = 5) -> Confusion:
    """The counts of pairs of prediction and label, in a block of all and of the first of them."""
    table = np.zeros((2, classes, classes))
    for place, (predicted, label) in enumerate(pairs):
        table[:, predicted, label] += (1, place == 0)
    names = tuple(str(name) for name in range(classes))
    return Confusion(table.sum((1, 2)), names, np.diagonal(table, axis1=-2, axis2=-1), table.sum(-1), table.sum(-2))


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_f1_of_a_block_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    """The mean of F1 is over the classes that are there, of five that could be."""
    predicted, label = zip(*pairs, strict=True)
    target = confusion(pairs)
    found = f_score(target, Average(average="macro"))
    assert found[0] == pytest.approx(f1_score(label, predicted, average="macro", zero_division=0.0), abs=1e-12)
    assert found[1] == pytest.approx(f1_score(label[:1], predicted[:1], average="macro", zero_division=0.0), abs=1e-12)
    there = any(1 in pair for pair in pairs)
    expected = f1_score(label, predicted, labels=[1], average="macro", zero_division=0.0) if there else np.nan
    assert f_score(target, Average(class_="1"))[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.one_of(st.integers(0, 6).map(lambda n: n / 7), st.just(np.nan))), max_size=80
)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_auc_is_scikit_learns_in_every_group(rows: list[tuple[int, bool, float]]) -> None:
    """Ties count half, rows without a score do not count, one class alone has no value."""
    group: Ints = np.array([row[0] for row in rows], np.int64)
    positive, score = np.array([row[1] for row in rows], bool), np.array([row[2] for row in rows], float)
    found = roc_auc(group, 5, positive, score)
    for one in range(5):
        mine = (group == one) & np.isfinite(score)
        sides = set(positive[mine].tolist())
        expected = roc_auc_score(positive[mine], score[mine]) if len(sides) == 2 else np.nan
        assert found[one] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_the_mean_auc_is_over_classes_with_both_sides() -> None:
    """A class that never is a label takes no part; a row counts for each class that it has a score for, and in n if it has any."""
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]], bool)
    score = np.array([[0.7, 0.3, 0.0], [0.8, 0.1, 0.1], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.5, np.nan, 0.5], [np.nan] * 3])
    value, n = mean_roc_auc(np.zeros(6, np.int64), 2, truth, score)
    expected = (roc_auc_score(truth[:5, 0], score[:5, 0]) + roc_auc_score(truth[:4, 1], score[:4, 1])) / 2
    assert value[0] == pytest.approx(expected)
    assert n.tolist() == [5, 0]
    assert np.isnan(value[1])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 4.0]))
def test_auc_from_bins_keeps_its_bound(seed: int, shape: float) -> None:
    """Counts and sums by bin give AUC within the bound that they state, here of drifted scores."""
    rng = np.random.default_rng(seed)
    score = rng.beta(shape, 2.0, 400)
    positive = rng.random(400) < score
    positive[:2] = (True, False)
    edges = np.array(score_edges(rng.beta(1.0, 2.0, 300), rng.random(300) < 0.3))
    place = np.searchsorted(edges, score, side="right")
    weights = (positive, ~positive, score * positive, score * ~positive)
    p, n, p_sum, n_sum = (np.asarray(np.bincount(place, weight, len(edges) + 1), np.float64) for weight in weights)
    value, bound = roc_auc_binned(p, n, p_sum, n_sum, edges)
    exact = roc_auc_score(positive, score)
    assert abs(value - exact) <= bound + 1e-12
    assert bound < 0.02


def test_auc_from_bins_of_one_class_has_no_value() -> None:
    """NaN where a side is missing; leading dimensions are kept."""
    zeros, some = np.zeros((2, 102)), np.zeros((2, 102))
    some[0, 5], some[1, 7] = 3.0, 2.0
    value, _ = roc_auc_binned(some, zeros, zeros, zeros, np.array(LOGIT))
    assert np.isnan(value).all()
    assert value.shape == (2,)
