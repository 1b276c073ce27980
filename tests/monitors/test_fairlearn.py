"""Fairness from rows to readings, against fairlearn on the same rows: one class only, groups of one row, groups without rows that count, scores of exactly 0 and 1, constant targets, 50 classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from fairlearn import metrics as fair
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core import moment
from core.contract import Contract
from core.monitor import Monitor
from core.reading import Reading
from core.window.tumbling import Tumbling
from detectors import catalogue
from monitors.definition import field
from monitors.evaluation.evaluate import Evaluate
from monitors.model import Model
from monitors.reference import arrow
from monitors.reference.derive import ReferenceSummary, derive
from monitors.reference.layout import layout
from monitors.reference.option import Options
from validation.replay import Replay, Stores

Array = npt.NDArray[Any]
Metric = Callable[..., float]
GROUPS = ("a", "b", "c", "d")
ROWS = st.lists(
    st.tuples(st.sampled_from(GROUPS), st.integers(0, 1), st.integers(0, 1), st.sampled_from([0.0, 0.3, 0.5, 1.0])), min_size=2, max_size=40
)


def rows_of(**columns: Array) -> pa.Table:
    """Rows of one hour."""
    rows = len(columns["sex"])
    ts = pa.array(np.full(rows, 400 * moment.DAY), pa.timestamp("us", "UTC"))
    return pa.table({"prediction_id": [str(row) for row in range(rows)], "ts": ts, "x": np.zeros(rows), **columns})


@cache
def reference(task: str, classes: tuple[str, ...]) -> tuple[Contract, ReferenceSummary, Options, pa.Table]:
    """A model of some classes, or of a regression without any; its reference has every class in every group."""
    sex = np.repeat(GROUPS, max(len(classes), 4))
    said = np.tile(classes, len(GROUPS)) if classes else np.arange(len(sex)) / 2 - 4
    more = {"score": np.linspace(0, 1, len(sex))} if task == "binary" else {}
    options = Options.of({"task": task, "features": ["x"], "protected": ["sex"]})
    table = rows_of(sex=sex, prediction=said, label=said, **more)
    return *derive("m", table, options), options, table


def model(task: str, classes: tuple[str, ...] = (), **columns: Array) -> Replay:
    """A model whose production are these rows."""
    contract, summary, options, before = reference(task, classes)
    stores, uses, nothing = Stores(segments=True), layout(before, options).uses, cast("Any", None)
    stores.put(contract, arrow.read_table(rows_of(**columns), uses))
    evaluate = Evaluate(cast("Any", stores), cast("Any", stores), nothing, lambda _model, _version: contract)
    return Replay(Model(contract, summary), stores, evaluate)


def binary(sex: Array, said: Array, true: Array, score: Array | None = None) -> Replay:
    """A model of the classes 0 and 1."""
    scores = np.full(len(sex), 0.5) if score is None else score
    return model("binary", ("0", "1", "0", "1"), sex=sex, prediction=said.astype(str), label=true.astype(str), score=scores)


def taken(of: Replay, name: str, **params: Any) -> Reading:
    """The reading of a measure, of groups of one row or more."""
    contract, spec = of.model.contract, catalogue.spec(f"fairness.{name}")
    settled = msgspec.to_builtins(field.params({"min_group": 1, **params}, spec, contract))
    monitor = Monitor(
        name="m", model="m", measure=f"fairness.{name}", params=settled, columns=("sex",), window=Tumbling(moment.HOUR), min_samples=0
    )
    ((_, reading),) = of.readings(monitor)
    return reading


def _rate(of: Callable[[Array, Array], Array], among: Callable[[Array, Array], Array]) -> Metric:
    def rate(y_true: Any, y_pred: Any) -> float:
        true, said = np.asarray(y_true) == 1, np.asarray(y_pred) == 1
        return float(of(true, said)[among(true, said)].mean())

    return rate


OMITTED = _rate(lambda true, _: true, lambda _, said: ~said)
DISCOVERED = _rate(lambda true, _: ~true, lambda _, said: said)


def _treatment(y_true: Any, y_pred: Any) -> float:
    true, said = np.asarray(y_true), np.asarray(y_pred)
    return float((true > said).sum() / (said > true).sum())


def _derived(metric: Metric) -> Metric:
    found: Metric = fair.make_derived_metric(metric=metric, transform="difference", sample_param_names=[])
    return found


def _mean_odds(true: Array, said: Array, **more: Any) -> float:
    return float(fair.equalized_odds_difference(true, said, agg="mean", **more))


BY_PREDICTIONS = {
    "accuracy_parity",
    "demographic_parity_difference",
    "demographic_parity_ratio",
}  # the first takes no threshold, the others read raw events for it
Defined = Callable[[Array, Array], bool]
MEASURES: dict[str, tuple[Metric, Defined]] = {
    "demographic_parity_difference": (fair.demographic_parity_difference, lambda _true, _said: True),
    "demographic_parity_ratio": (fair.demographic_parity_ratio, lambda _true, _said: True),
    "equal_opportunity_difference": (fair.equal_opportunity_difference, lambda true, _said: bool(true.any())),
    "equalized_odds_difference": (fair.equalized_odds_difference, lambda true, _said: len(set(true)) == 2),
    "average_odds_difference": (_mean_odds, lambda true, _said: len(set(true)) == 2),
    "fpr_parity": (fair.false_positive_rate_difference, lambda true, _said: not true.all()),
    "fnr_parity": (fair.false_negative_rate_difference, lambda true, _said: bool(true.any())),
    "accuracy_parity": (fair.accuracy_score_difference, lambda _true, _said: True),
    "predictive_parity_difference": (_derived(metrics.precision_score), lambda _true, said: bool(said.any())),
    "fdr_parity": (_derived(DISCOVERED), lambda _true, said: bool(said.any())),
    "for_parity": (_derived(OMITTED), lambda _true, said: not said.all()),
    "treatment_equality": (_derived(_treatment), lambda true, said: bool((said > true).any())),
}


@settings(max_examples=12, deadline=None)
@given(ROWS)
def test_gaps_are_those_of_fairlearn(rows: list[tuple[str, int, int, float]]) -> None:
    """Between the groups that have a rate; of predictions, and of scores from a threshold on, which may be 0 or 1."""
    sex, said, true, score = (np.array(one) for one in zip(*rows, strict=True))
    held = binary(sex, said, true, score)
    for name, (metric, defined) in MEASURES.items():
        for judged, params in ((said, {}), ((score >= 0.5).astype(int), {"threshold": 0.5})):
            if params and name in BY_PREDICTIONS:
                continue
            found = taken(held, name, **params)
            groups = [one for one in sorted({*sex}) if defined(true[sex == one], judged[sex == one])]
            kept = np.isin(sex, groups)
            wanted = metric(true[kept], judged[kept], sensitive_features=sex[kept]) if len(groups) > 1 else np.nan
            if np.isnan(wanted):  # fewer than two groups, or a ratio of nothing to nothing
                assert found.value is None, name
                continue
            assert found.value == pytest.approx(wanted, abs=1e-12), name
            told = {one["group"].removeprefix("sex="): one["value"] for one in found.evidence["groups"]}
            assert [one for one, rate in told.items() if rate is not None] == groups
            if name == "demographic_parity_difference":
                rates = fair.MetricFrame(metrics=fair.selection_rate, y_true=true, y_pred=said, sensitive_features=sex).by_group
                assert told == pytest.approx(dict(rates.items()), abs=1e-12)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.sampled_from(GROUPS), min_size=2, max_size=40), st.integers(0, 2**31))
def test_gaps_from_all_rows_are_those_of_fairlearn(groups: list[str], seed: int) -> None:
    """With `reference: overall`; each group has rows of each kind."""
    rng, there = np.random.default_rng(seed), sorted({*groups})
    if len(there) < 2:
        return
    sex = np.concatenate([groups, np.repeat(there, 4)])
    said, true = (np.concatenate([rng.integers(0, 2, len(groups)), np.tile(kind, len(there))]) for kind in ([0, 0, 1, 1], [0, 1, 0, 1]))
    held = binary(sex, said, true)
    for name, (metric, _) in MEASURES.items():
        wanted = metric(true, said, sensitive_features=sex, method="to_overall")
        assert taken(held, name, reference="overall").value == pytest.approx(wanted, abs=1e-12), name


def test_fifty_classes_are_those_of_fairlearn() -> None:
    """Accuracy of all classes, and rates of one of them."""
    rng, classes = np.random.default_rng(8), np.array([f"c{number:02}" for number in range(50)])
    sex, true = rng.choice(GROUPS, 4_000), rng.choice(classes, 4_000)
    said = np.where(rng.random(4_000) < 0.6, true, rng.choice(classes[:40], 4_000))
    held = model("multiclass", tuple(classes.tolist()), sex=sex, prediction=said, label=true)
    assert taken(held, "accuracy_parity").value == pytest.approx(fair.accuracy_score_difference(true, said, sensitive_features=sex))
    for name, (metric, _) in MEASURES.items():
        if name != "accuracy_parity":
            wanted = metric((true == "c07").astype(int), (said == "c07").astype(int), sensitive_features=sex)
            assert taken(held, name, positive="c07").value == pytest.approx(wanted, abs=1e-12), name


NUMBERS = st.lists(st.tuples(st.sampled_from(GROUPS), st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=40)


@pytest.mark.parametrize("constant", [False, True])
@settings(max_examples=10, deadline=None)
@given(NUMBERS)
def test_gaps_of_numbers_are_those_of_fairlearn(constant: bool, rows: list[tuple[str, int, int]]) -> None:
    """Mean predictions and mean absolute errors, with ties, and with a target that is constant."""
    sex, said, true = (np.array(one) for one in zip(*rows, strict=True))
    said, true = said / 2, np.zeros(len(true)) if constant else true / 2
    held, groups = model("regression", sex=sex, prediction=said, label=true), {*sex}
    for name, metric in (("mean_prediction_gap", fair.mean_prediction), ("error_gap", metrics.mean_absolute_error)):
        found = taken(held, name)
        if len(groups) < 2:
            assert found.value is None
            continue
        frame = fair.MetricFrame(metrics=metric, y_true=true, y_pred=said, sensitive_features=sex)
        assert found.value == pytest.approx(frame.difference(), abs=1e-9)
