"""Performance measures against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, precision_score, roc_auc_score, root_mean_squared_error

from core.block import Floats, Ints
from detectors import catalogue
from detectors.evidence import Confusion, Losses, LossSums
from detectors.performance.accuracy import accuracy
from detectors.performance.average import Average
from detectors.performance.f1 import f1
from detectors.performance.mae import mae
from detectors.performance.precision import precision
from detectors.performance.rmse import rmse
from detectors.performance.roc_auc import mean_roc_auc, roc_auc, roc_auc_binned
from detectors.summary.score import LOGIT, score_edges

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def cells(pairs: list[tuple[int, int]], classes: int = 5) -> Floats:
    """Counts by (prediction, label)."""
    table = np.zeros((classes, classes))
    for predicted, label in pairs:
        table[predicted, label] += 1
    return table


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_accuracy_and_f1_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    """The mean of F1 is over the classes that are there, of five that could be."""
    predicted, label = zip(*pairs, strict=True)
    block = np.stack([cells(pairs), cells(pairs[:1])])
    by_class = np.diagonal(block, axis1=-2, axis2=-1), block.sum(-1), block.sum(-2)
    assert accuracy(*by_class[:2])[0] == pytest.approx(accuracy_score(label, predicted), abs=1e-12)
    assert f1(*by_class, None)[0] == pytest.approx(f1_score(label, predicted, average="macro", zero_division=0.0), abs=1e-12)
    there = any(1 in pair for pair in pairs)
    expected = f1_score(label, predicted, labels=[1], average="macro", zero_division=0.0) if there else np.nan
    assert f1(*by_class, 1)[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_nothing_has_no_performance() -> None:
    """Without rows there is no value, and without a positive there is no F1."""
    nothing = np.zeros((2, 2))
    no_f1 = [f1(nothing, nothing, nothing, positive) for positive in (None, 1)]
    assert np.isnan([accuracy(nothing, nothing), *no_f1, np.full(2, mae(np.zeros(()), np.zeros(())))]).all()
    other = np.array([5.0, 0.0])
    assert np.isnan(f1(other, other, other, 1))


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=40))
def test_mae_and_rmse_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    """Both come from sums of residuals."""
    predicted, label = np.array(pairs).T
    n, residual = np.array(float(len(pairs))), predicted - label
    assert float(mae(n, np.abs(residual).sum())) == pytest.approx(mean_absolute_error(label, predicted), rel=1e-12, abs=1e-12)
    assert float(rmse(n, (residual**2).sum())) == pytest.approx(root_mean_squared_error(label, predicted), rel=1e-12, abs=1e-12)


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


def value(name: str, target: Confusion | Losses) -> list[float]:
    """What a measure says of a block, with its usual params."""
    spec = catalogue.spec(name)
    found: list[float] = spec.compute(target, None, spec.params()).value.tolist()
    return found


def test_the_catalogue_computes_what_it_names() -> None:
    """Each measure from its kind of evidence."""
    sums = {"absolute": np.array([3.0]), "square": np.array([8.0])}
    losses = Losses(np.array([2.0]), {name: LossSums(np.array([2.0]), total, total) for name, total in sums.items()})
    assert (value("performance.mae", losses), value("performance.rmse", losses)) == ([1.5], [2.0])
    counts = {"right": np.array([[1.0, 2.0]]), "predicted": np.array([[2.0, 2.0]]), "labelled": np.array([[1.0, 3.0]])}
    classes = Confusion(n=np.array([4.0]), classes=("0", "1"), **counts, positive=1)
    assert (value("performance.accuracy", classes), value("performance.f1", classes)) == ([0.75], [0.8])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=40),
    st.sampled_from(["macro", "micro", "weighted"]),
)
def test_precision_is_scikit_learns(rows: list[tuple[str, str]], average: str) -> None:
    """Of each class alone, and of all in each average; a class that was not predicted has none, and counts 0 in an average."""
    said, true = ([row[side] for row in rows] for side in (0, 1))
    classes = tuple("abcd")
    sums = {
        "right": [sum(a == b == one for a, b in rows) for one in classes],
        "predicted": [said.count(one) for one in classes],
        "labelled": [true.count(one) for one in classes],
    }
    right, said_each, true_each = (np.array(counts, float) for counts in sums.values())
    target = Confusion(np.array(float(len(rows))), classes, right, said_each, true_each)
    found = precision(target, None, Average(average=average)).value  # type: ignore[arg-type]
    assert float(found) == pytest.approx(precision_score(true, said, average=average, zero_division=0), abs=1e-12)
    for one, predicted in zip(classes, sums["predicted"], strict=True):
        alone = float(precision(target, None, Average(class_=one)).value)
        if predicted:
            assert alone == pytest.approx(precision_score(true, said, labels=[one], average="macro", zero_division=0), abs=1e-12)
        else:
            assert np.isnan(alone)
