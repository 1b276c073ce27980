"""Measures of weighted rows equal those of scikit-learn with sample weights, and repeat rows for whole weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.baseline.previous import Previous
from core.block import Categories
from core.error import ConfigError
from detectors import labelled_rows
from detectors.catalogue import spec
from detectors.weighted import Weighted
from monitors.definition import field
from monitors.evidence import weighted as reader
from tests.monitors.outcomes import Store, binary, multiclass, numbers, readings, value

WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.25, 1e4])
Weigh = dict[str, Any]

_CLASSES: dict[str, tuple[Weigh, Callable[..., float]]] = {
    "accuracy": ({}, metrics.accuracy_score),
    "precision": ({"class": 1}, lambda *a, **k: metrics.precision_score(*a, pos_label="1", zero_division=np.nan, **k)),
    "recall": ({"average": "macro"}, lambda *a, **k: metrics.recall_score(*a, average="macro", zero_division=0, **k)),
    "f1": ({"average": "weighted"}, lambda *a, **k: metrics.f1_score(*a, average="weighted", zero_division=0, **k)),
    "fbeta": ({"beta": 2, "average": "micro"}, lambda *a, **k: metrics.fbeta_score(*a, beta=2, average="micro", zero_division=0, **k)),
    "balanced_accuracy": ({}, metrics.balanced_accuracy_score),
}
_NUMBERS: dict[str, Callable[..., float]] = {
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "bias": lambda true, said, sample_weight: float(np.average(said - true, weights=sample_weight)),
    "wape": lambda true, said, sample_weight: float((np.abs(said - true) * sample_weight).sum() / (np.abs(true) * sample_weight).sum()),
}


def weigh(store: Store, weight: Any) -> Store:
    """The store with these weights."""
    return Store(store.contract, replace(store.rows, weight=np.asarray(weight, np.float64)))


@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label")
@settings(max_examples=10)
@given(st.data())
def test_measures_of_classes_are_those_of_weighted_rows(data: st.DataObject) -> None:
    """Rates, averages and agreement, on few rows and many ties; rows of the weight 0 are no rows."""
    n = data.draw(st.integers(1, 12))
    sides = st.lists(st.sampled_from("01"), min_size=n, max_size=n)
    label, said, weight = data.draw(sides), data.draw(sides), np.array(data.draw(st.lists(WEIGHTS, min_size=n, max_size=n)))
    store, kept = weigh(binary(said, label), weight), weight > 0
    if not kept.any():
        assert np.isnan(value(store, "performance.accuracy", {"weighted": True}))
        return
    true, predicted = np.array(label)[kept], np.array(said)[kept]
    for name, (params, wanted) in _CLASSES.items():
        found = value(store, f"performance.{name}", {**params, "weighted": True})
        np.testing.assert_allclose(found, wanted(true, predicted, sample_weight=weight[kept]), rtol=1e-9, atol=1e-12, err_msg=name)
    if len({*label}) > 1 and len({*true.tolist()}) > 1 and len({*predicted.tolist()}) > 1:
        for name, wanted in (("mcc", metrics.matthews_corrcoef), ("kappa", metrics.cohen_kappa_score)):
            found = value(store, f"performance.{name}", {"weighted": True})
            np.testing.assert_allclose(found, wanted(true, predicted, sample_weight=weight[kept]), rtol=1e-6, atol=1e-9, err_msg=name)


@settings(max_examples=10)
@given(st.data())
def test_measures_of_scores_are_those_of_weighted_rows(data: st.DataObject) -> None:
    """Areas, losses, and another threshold, with ties and scores of exactly 0 and 1."""
    n = data.draw(st.integers(2, 12))
    label = ["0", "1", *data.draw(st.lists(st.sampled_from("01"), min_size=n - 2, max_size=n - 2))]
    score = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), min_size=n, max_size=n)))
    weight = np.array(data.draw(st.lists(WEIGHTS.filter(bool), min_size=n, max_size=n)))
    store, true = weigh(binary(["0"] * n, label, score), weight), np.array(label) == "1"
    wanted: dict[str, float] = {
        "roc_auc": metrics.roc_auc_score(true, score, sample_weight=weight),
        "gini": 2 * metrics.roc_auc_score(true, score, sample_weight=weight) - 1,
        "pr_auc": metrics.average_precision_score(true, score, sample_weight=weight),
        "log_loss": metrics.log_loss(true, score, sample_weight=weight, labels=[False, True]),
        "brier": metrics.brier_score_loss(true, score, sample_weight=weight),
    }
    for name, number in wanted.items():
        np.testing.assert_allclose(value(store, f"performance.{name}", {"weighted": True}), number, rtol=1e-9, atol=1e-12, err_msg=name)
    cut = value(store, "performance.accuracy", {"weighted": True, "threshold": 0.5})
    assert cut == pytest.approx(metrics.accuracy_score(true, score >= 0.5, sample_weight=weight))
    cost = value(store, "performance.value", {"weighted": True, "fn": 3, "fp": 1, "threshold": 0.5})
    assert cost == pytest.approx(np.average(np.where(true & (score < 0.5), 3, np.where(~true & (score >= 0.5), 1, 0)), weights=weight))


@settings(max_examples=10)
@given(st.data())
def test_measures_of_numbers_are_those_of_weighted_rows(data: st.DataObject) -> None:
    """Errors, relative ones too."""
    n = data.draw(st.integers(1, 10))
    some = st.lists(st.sampled_from([-3.0, 1.0, 2.5, 40.0]), min_size=n, max_size=n)
    true, said, weight = (np.array(data.draw(one)) for one in (some, some, st.lists(WEIGHTS.filter(bool), min_size=n, max_size=n)))
    store = weigh(numbers(said, true), weight)
    for name, wanted in _NUMBERS.items():
        found = value(store, f"performance.{name}", {"weighted": True})
        np.testing.assert_allclose(found, wanted(true, said, sample_weight=weight), rtol=1e-9, atol=1e-12, err_msg=name)
    assert value(store, "performance.quantile_loss", {"weighted": True, "q": 0.8}) == pytest.approx(
        metrics.mean_pinball_loss(true, said, alpha=0.8, sample_weight=weight)
    )
    if np.ptp(true):
        r2 = value(store, "performance.r2", {"weighted": True})
        assert np.isnan(r2) or r2 == pytest.approx(metrics.r2_score(true, said, sample_weight=weight), rel=1e-6, abs=1e-6)


def test_classes_of_a_multiclass_model_are_weighted() -> None:
    """Costs by pairs, ranks, and the mean area over classes."""
    rng, classes = np.random.default_rng(4), ("a", "b", "c")
    scores, weight = rng.dirichlet([1, 1, 1], 60), rng.gamma(1, 2, 60)
    label, said = rng.choice(classes, 60), np.array(classes)[scores.argmax(1)]
    store = weigh(multiclass(classes, said.tolist(), label.tolist(), scores), weight)
    cost = np.average(np.where((said == "a") & (label == "b"), 5, 0), weights=weight)
    assert value(store, "performance.value", {"weighted": True, "costs": {"a>b": 5}}) == pytest.approx(cost)
    top = value(store, "performance.top_k_accuracy", {"weighted": True, "k": 2})
    assert top == pytest.approx(metrics.top_k_accuracy_score(label, scores, k=2, labels=list(classes), sample_weight=weight))
    each = [metrics.roc_auc_score(label == one, scores[:, at], sample_weight=weight) for at, one in enumerate(classes)]
    assert value(store, "performance.roc_auc", {"weighted": True}) == pytest.approx(np.mean(each))


def test_equal_weights_change_nothing() -> None:
    """Neither the value nor its interval, whatever the scale; n is the number of rows."""
    made = binary(["0", "1", "1", "0", "1"], ["0", "1", "0", "0", "1"], np.array([0.1, 0.8, 0.6, 0.3, 0.7]))
    for name in ("accuracy", "f1", "roc_auc"):
        (plain,), (scaled,) = (
            readings(one, f"performance.{name}", params) for one, params in ((made, {}), (weigh(made, [3.5] * 5), {"weighted": True}))
        )
        assert scaled.value == pytest.approx(plain.value)
        assert (plain.lower is None) == (scaled.lower is None)
        if plain.lower is not None:
            assert (scaled.lower, scaled.upper) == pytest.approx((plain.lower, plain.upper))
        assert (scaled.n_target, scaled.evidence) == (
            5,
            scaled.evidence | {"weight": pytest.approx(17.5), "effective_rows": pytest.approx(5)},
        )


def test_unequal_weights_widen_the_interval() -> None:
    """They are worth fewer rows, by Kish."""
    made = binary(["1"] * 8 + ["0"] * 8, ["1"] * 16)
    even, uneven = (readings(weigh(made, weight), "performance.accuracy", {"weighted": True})[0] for weight in ([1] * 16, [1, 9] * 8))
    assert uneven.value == pytest.approx(even.value)
    assert uneven.upper - uneven.lower > even.upper - even.lower  # type: ignore[operator]
    assert uneven.evidence["effective_rows"] == pytest.approx(80**2 / (8 + 8 * 81))


def test_a_baseline_is_weighted_too() -> None:
    """The window before."""
    made = weigh(binary(["0", "1"] * 4, ["0"] * 8, hour=np.repeat([0, 1], 4)), [1, 3, 1, 3, 1, 1, 1, 1])
    first, second = readings(made, "performance.accuracy", {"weighted": True}, 2, Previous(1))
    assert (first.value, second.value, second.baseline_value) == (0.25, 0.5, 0.25)


def test_what_cannot_be_weighed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only weights of 0, and too many rows."""
    made = binary(["0", "1"], ["0", "1"])
    (nothing,) = readings(weigh(made, [0, 0]), "performance.accuracy", {"weighted": True})
    assert (nothing.value, nothing.reason, nothing.n_target) == (None, "all weights are 0", 2)
    monkeypatch.setattr(reader, "MOST", 1)
    (large,) = readings(weigh(made, [1, 1]), "performance.accuracy", {"weighted": True})
    assert f"more than {labelled_rows.MOST:,} labelled rows" in (large.reason or "")


def test_weights_are_a_param_of_measures_that_have_them() -> None:
    """It is kept as it is written, and not there where it is not written; a largest error and a lift take none."""
    made = binary(["0"], ["0"])
    assert field.params({}, spec("performance.accuracy"), made.contract) == {}
    assert field.params({"weighted": True}, spec("performance.accuracy"), made.contract) == {"weighted": True}
    assert issubclass(spec("performance.mae").reads({"weighted": True}), Weighted)
    for name in ("max_error", "lift_at_k", "estimated_accuracy"):
        with pytest.raises(ConfigError, match=r"params\.weighted"):
            field.params({"weighted": True}, spec(f"performance.{name}"), made.contract)


def test_labels_outside_of_the_contract_are_classes_of_their_own() -> None:
    """As without weights."""
    made = binary(["0", "1", "1"], ["0", "1", "1"])
    other = Store(made.contract, replace(made.rows, label=Categories.of(["0", "2", "1.0"]), weight=np.array([1.0, 2.0, 1.0])))
    assert value(other, "performance.accuracy", {"weighted": True}) == 0.5
