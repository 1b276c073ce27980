"""Performance of classes, from rows to values, against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.block import Floats
from core.error import ConfigError
from detectors import catalogue
from monitors.definition import field
from tests.monitors.outcomes import binary, multiclass, readings, value

CLASSES = ("a", "b", "c", "d")
ROWS = st.lists(st.tuples(st.sampled_from(CLASSES[:3]), st.sampled_from(CLASSES)), min_size=1, max_size=40)
BITS = st.lists(st.tuples(st.sampled_from("01"), st.sampled_from("01")), min_size=1, max_size=40)
AVERAGES = st.sampled_from(["macro", "micro", "weighted"])
Rate = Callable[..., float]


def _negative(true: list[str], said: list[str], one: str) -> tuple[int, int]:
    """True negatives and false positives of a class."""
    table = metrics.confusion_matrix([label == one for label in true], [label == one for label in said], labels=[False, True])
    return int(table[0, 0]), int(table[0, 1])


def expected(name: str, true: list[str], said: list[str], one: str) -> float:
    """A rate of one class by scikit-learn; NaN for 0/0."""
    if name in {"specificity", "fpr"}:
        right, wrong = _negative(true, said, one)
        return np.nan if right + wrong == 0 else (right if name == "specificity" else wrong) / (right + wrong)
    options: dict[str, Any] = {"labels": [one], "average": "macro", "zero_division": np.nan}
    if name == "fbeta":
        return float(metrics.fbeta_score(true, said, beta=2.0, **options))
    found = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score, "fnr": metrics.recall_score}
    score = float(found[name](true, said, **options))
    return 1 - score if name == "fnr" else score


@pytest.mark.parametrize("name", ["precision", "recall", "specificity", "fpr", "fnr", "f1", "fbeta"])
@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_rates_of_a_class_are_scikit_learns(name: str, rows: list[tuple[str, str]]) -> None:
    """Of each class alone, NaN for 0/0."""
    said, true = ([row[side] for row in rows] for side in (0, 1))
    store, more = multiclass(CLASSES, said, true), {"beta": 2} if name == "fbeta" else {}
    for one in CLASSES:
        found = value(store, f"performance.{name}", {"class": one, **more})
        assert found == pytest.approx(expected(name, true, said, one), abs=1e-12, nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(ROWS, AVERAGES)
def test_averages_are_scikit_learns(rows: list[tuple[str, str]], average: str) -> None:
    """A class of 0/0 counts 0."""
    said, true = ([row[side] for row in rows] for side in (0, 1))
    store, options = multiclass(CLASSES, said, true), {"average": average, "zero_division": 0}
    wanted = {
        "precision": metrics.precision_score(true, said, **options),
        "recall": metrics.recall_score(true, said, **options),
        "f1": metrics.f1_score(true, said, **options),
    }
    for name, one in wanted.items():
        assert value(store, f"performance.{name}", {"average": average}) == pytest.approx(one, abs=1e-12)
    beta = metrics.fbeta_score(true, said, beta=0.5, **options)
    assert value(store, "performance.fbeta", {"average": average, "beta": 0.5}) == pytest.approx(beta, abs=1e-12)
    there = sorted({*said, *true})
    pairs = np.array([_negative(true, said, one) for one in there], float)
    each = np.where(pairs.sum(1) > 0, pairs[:, 0] / np.maximum(pairs.sum(1), 1), 0.0)
    weight = [true.count(one) for one in there] if average == "weighted" else None
    together = pairs[:, 0].sum() / pairs.sum() if pairs.any() else np.nan
    specificity = together if average == "micro" else np.average(each, weights=weight)
    assert value(store, "performance.specificity", {"average": average}) == pytest.approx(specificity, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ["precision", "recall", "specificity", "fpr", "fnr", "f1"])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_an_average_does_not_depend_on_other_windows(name: str, average: str) -> None:
    """Another hour has classes that the model does not know."""
    said, true, params = ["a", "b", "b", "a"], ["a", "b", "c", "c"], {"average": average}
    (alone,) = readings(multiclass(CLASSES, said, true), f"performance.{name}", params)
    beside = multiclass(CLASSES, [*said, "x"], [*true, "y"], hour=np.array([0, 0, 0, 0, 1]))
    first, _ = readings(beside, f"performance.{name}", params, hours=2)
    assert (first.value, first.lower, first.upper) == (alone.value, alone.lower, alone.upper)


@settings(max_examples=25, deadline=None)
@given(st.one_of(ROWS, BITS))
def test_agreement_of_all_classes_is_scikit_learns(rows: list[tuple[str, str]]) -> None:
    """Where scikit-learn says 0 or nothing for one class alone, there is no value."""
    said, true = ([row[side] for row in rows] for side in (0, 1))
    store = binary(said, true) if set(said + true) <= {"0", "1"} else multiclass(CLASSES, said, true)
    same = len({*said, *true}) == 1
    assert value(store, "performance.accuracy") == pytest.approx(metrics.accuracy_score(true, said), abs=1e-12)
    recalls = metrics.recall_score(true, said, labels=sorted(set(true)), average="macro", zero_division=0)
    assert value(store, "performance.balanced_accuracy") == pytest.approx(recalls, abs=1e-12)
    kappa = np.nan if same else metrics.cohen_kappa_score(true, said)
    assert value(store, "performance.kappa") == pytest.approx(kappa, abs=1e-12, nan_ok=True)
    alone = len(set(said)) == 1 or len(set(true)) == 1
    mcc = np.nan if alone else metrics.matthews_corrcoef(true, said)
    assert value(store, "performance.mcc") == pytest.approx(mcc, abs=1e-12, nan_ok=True)


def test_fifty_classes_are_scikit_learns() -> None:
    """With classes that are never said or never true."""
    rng, classes = np.random.default_rng(4), tuple(f"{number:02}" for number in range(50))
    said, true = (rng.choice(classes[low : low + 40], 3_000).tolist() for low in (0, 10))
    store = multiclass(classes, said, true)
    wanted = {
        "accuracy": metrics.accuracy_score(true, said),
        "balanced_accuracy": metrics.recall_score(true, said, labels=sorted({*true}), average="macro", zero_division=0),
        "mcc": metrics.matthews_corrcoef(true, said),
        "kappa": metrics.cohen_kappa_score(true, said),
        "precision": metrics.precision_score(true, said, average="macro", zero_division=0),
        "recall": metrics.recall_score(true, said, average="macro", zero_division=0),
        "f1": metrics.f1_score(true, said, average="macro", zero_division=0),
    }
    for name, one in wanted.items():
        assert value(store, f"performance.{name}") == pytest.approx(one, abs=1e-12), name


def test_areas_of_fifty_classes_are_means_of_scikit_learns() -> None:
    """Over the classes with rows of their own and of others, of scores with ties and exact zeros."""
    true, scores = drawn(3, 400, 50)
    names, label = tuple(f"{number:02}" for number in range(50)), np.array(true)
    store = multiclass(names, [names[0]] * 400, [names[one] for one in true], scores)
    for name, metric in (("roc_auc", metrics.roc_auc_score), ("pr_auc", metrics.average_precision_score)):
        wanted = np.mean([metric(label == one, scores[:, one]) for one in sorted({*true})])
        assert value(store, f"performance.{name}") == pytest.approx(wanted, abs=1e-12), name


@settings(max_examples=15, deadline=None)
@given(BITS)
def test_value_is_the_mean_cost_of_a_row(rows: list[tuple[str, str]]) -> None:
    """By the four cells of the positive class, or by pairs of classes."""
    said, true = ([row[side] for row in rows] for side in (0, 1))
    costs = {("1", "1"): -1.0, ("1", "0"): 5.0, ("0", "1"): 100.0, ("0", "0"): 0.5}
    wanted = np.mean([costs[row] for row in rows])
    store = binary(said, true)
    assert value(store, "performance.value", {"tp": -1, "fp": 5, "fn": 100, "tn": 0.5}) == pytest.approx(wanted, abs=1e-12)
    pairs = {f"{a}>{b}": cost for (a, b), cost in costs.items()}
    assert value(store, "performance.value", {"costs": pairs}) == pytest.approx(wanted, abs=1e-12)


def test_a_row_of_a_class_that_the_model_does_not_have_costs_what_its_side_costs() -> None:
    """An unknown class is not the positive one; pairs of classes name the model's own only."""
    store = binary(["1", "x", "0", "1"], ["x", "1", "0", "1"])
    assert value(store, "performance.value", {"fp": 4, "fn": 8}) == 3
    assert value(store, "performance.value", {"costs": {"1>1": 4}}) == 1


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "must have costs"),
        ({"fp": 1, "costs": {"0>1": 1}}, "must have costs"),
        ({"costs": {"0>7": 1}}, "`0>7` is no `predicted>label`"),
        ({"costs": {"0": 1}}, "`0` is no `predicted>label`"),
        ({"costs": {}}, "must have costs"),
        ({"fp": 0, "costs": {"0>1": 1}}, "must have costs"),
        ({"costs": {"0>1": 1, "0 > 1.0": 2}}, "`0 > 1.0` is there twice"),
        ({"fp": float("inf")}, "no finite number"),
    ],
)
def test_wrong_costs_are_refused(params: dict[str, Any], told: str) -> None:
    """With what is wrong."""
    with pytest.raises(ConfigError, match=told):
        readings(binary(["1"], ["1"]), "performance.value", params)


def test_costs_are_answered_with_what_is_computed() -> None:
    """A cell that is not written costs 0, and what is answered may be written again."""
    contract, spec = binary(["1"], ["1"]).contract, catalogue.spec("performance.value")
    for written, wanted in (
        ({"fp": 5}, {"tp": 0, "fp": 5, "fn": 0, "tn": 0, "better": "less"}),
        ({"tp": 0}, {"tp": 0, "fp": 0, "fn": 0, "tn": 0, "better": "less"}),
        ({"costs": {"0 > true": 5}, "better": "more"}, {"costs": {"0>1": 5}, "better": "more"}),
    ):
        found = field.params(written, spec, contract)
        assert found == wanted == field.params(found, spec, contract)


def test_rates_carry_wilsons_interval_and_their_counts() -> None:
    """Of the rows that they are shares of."""
    store = binary(["1"] * 12 + ["0"] * 8, ["1"] * 9 + ["0"] * 6 + ["1"] * 5)
    (recall,), (f1,) = readings(store, "performance.recall"), readings(store, "performance.f1")
    z, n, p = 1.959963984540054, 14, 9 / 14
    middle, half = (p + z * z / 2 / n) / (1 + z * z / n), z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / 4 / n**2)
    assert (recall.lower, recall.upper) == pytest.approx((middle - half, middle + half))
    assert recall.evidence == {"label_coverage": 1, "class": "1", "tp": 9, "fp": 3, "fn": 5, "tn": 3}
    assert (f1.lower, f1.upper) == (None, None)
    assert recall.n_target == 20


SCORES = st.lists(st.tuples(st.booleans(), st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1))), min_size=1, max_size=40)


@settings(max_examples=25, deadline=None)
@given(SCORES)
def test_losses_of_scores_are_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    """Scores of exactly 0 and 1 are clipped to the epsilon of float64."""
    true, score = [int(row[0]) for row in rows], np.array([row[1] for row in rows])
    store = binary(["1"] * len(rows), [str(one) for one in true], score)
    assert value(store, "performance.log_loss") == pytest.approx(metrics.log_loss(true, score, labels=[0, 1]), rel=1e-9, abs=1e-12)
    assert value(store, "performance.brier") == pytest.approx(np.mean((score - true) ** 2), abs=1e-12)


def drawn(seed: int, rows: int, classes: int) -> tuple[list[int], Floats]:
    """Labels, and probabilities with ties and with zeros."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(classes, 0.4), rows).round(2)
    scores[scores.sum(axis=1) == 0] = 1 / classes
    return rng.integers(0, classes, rows).tolist(), scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("count", [3, 50])
def test_losses_of_the_scores_of_many_classes_are_scikit_learns(seed: int, count: int) -> None:
    """Log loss, Brier score, and the share of labels among the k highest; ties are broken as there."""
    true, scores = drawn(seed, 200, count)
    names, order = tuple(f"{number:02}" for number in range(count)), list(range(count))
    store = multiclass(names, [names[0]] * 200, [names[one] for one in true], scores)
    assert value(store, "performance.log_loss") == pytest.approx(metrics.log_loss(true, scores, labels=order), rel=1e-9)
    brier = ((scores - np.eye(count)[true]) ** 2).sum(axis=1).mean()
    assert value(store, "performance.brier") == pytest.approx(brier, abs=1e-12)
    for k in (1, 2):
        wanted = metrics.top_k_accuracy_score(true, scores, k=k, labels=order)
        assert value(store, "performance.top_k_accuracy", {"k": k}) == pytest.approx(wanted, abs=1e-12)


def test_a_label_without_a_score_among_others_is_missed() -> None:
    """Its class got no probability. The Brier score leaves such rows out and counts them. A row without any score does not count at all."""
    scores = np.array([[0.6, 0.4, np.nan], [0.5, 0.3, 0.2], [np.nan] * 3, [0.2, 0.7, 0.1]])
    store = multiclass(("a", "b", "c"), ["a"] * 4, ["c", "b", "a", "z"], scores)
    for name, params, wanted, left_out in (
        ("log_loss", {}, (-np.log(0.3) - 2 * np.log(np.finfo(np.float64).eps)) / 3, None),
        ("brier", {}, 0.25 + 0.49 + 0.04, 2),
        ("top_k_accuracy", {"k": 1}, 0.0, None),
        ("top_k_accuracy", {"k": 2}, 1 / 3, None),
        ("top_k_accuracy", {"k": 9}, 1 / 3, None),
    ):
        (reading,) = readings(store, f"performance.{name}", params)
        assert (reading.n_target, reading.evidence.get("left_out")) == (3, left_out)
        assert reading.value == pytest.approx(wanted)
