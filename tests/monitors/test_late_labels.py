"""Performance before all labels are there: labels that came stand for those of their class that are still to come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core import moment
from core.error import ConfigError
from detectors.catalogue import spec
from detectors.late_labels import EVER, Arrivals, chances, learned, weights
from detectors.summary.delay import delay_bins
from monitors.definition import field
from tests.monitors.outcomes import Store, binary, contract, readings
from tests.monitors.test_grammar import read

DAYS = 40
MEASURE = "performance.delay_corrected"


def stream(seed: int, a_day: int = 600) -> tuple[Store, float]:
    """Days of predictions, of which those labels are there that came until the end: frauds after a day on average, other rows after eight. And the accuracy of the last ten days, with all labels."""
    rng = np.random.default_rng(seed)
    hour = np.sort(rng.integers(0, DAYS * 24, DAYS * a_day))
    fraud = rng.random(len(hour)) < 0.2
    right = rng.random(len(hour)) < np.where(fraud, 0.6, 0.95)
    delay = (rng.exponential(np.where(fraud, 1.0, 8.0)) * moment.DAY).astype(np.int64)
    label, said = (np.where(one, "1", "0").tolist() for one in (fraud, fraud == right))
    made = binary(said, label, hour=hour)
    last = hour >= (DAYS - 10) * 24
    there = np.flatnonzero(made.rows.ts + delay <= DAYS * moment.DAY)
    return Store(made.contract, replace(made.rows, delay=delay).take(there)), float(right[last].mean())


def corrected(store: Store, of: Any = "performance.accuracy", **more: Any) -> Any:
    """The reading of the last ten days."""
    return readings(store, MEASURE, {"of": of, "learn": DAYS, **more}, days=10)[-1]


def test_the_bias_of_labels_that_come_sooner_is_removed() -> None:
    """Of labels that are there accuracy is 6 points too low, since frauds are found first; corrected, it is right within its interval, which holds about as often as it says."""
    errors, plain, held = [], [], 0
    for seed in range(20):
        store, true = stream(seed)
        reading = corrected(store)
        errors.append(reading.value - true)
        plain.append((readings(store, "performance.accuracy", days=10)[-1].value or 0.0) - true)
        held += reading.lower <= true <= reading.upper
    assert np.mean(plain) < -0.03
    assert abs(np.mean(errors)) < 0.006
    assert held >= 17


def test_a_reading_says_what_it_is_made_of() -> None:
    """How many labels are expected, what the rows are worth, until when labels came, and of each class the share that came."""
    store, _ = stream(1)
    reading = corrected(store)
    assert reading.evidence["expected_labels"] == pytest.approx(6_000, rel=0.06)
    assert reading.evidence["effective_rows"] < reading.n_target < 6_000
    assert reading.evidence["chance"]["1"] > reading.evidence["chance"]["0"] > 0.3
    assert reading.evidence["as_of"].startswith("1970-02-09T23:")


@pytest.mark.parametrize("of", ["performance.log_loss", "performance.roc_auc", {"measure": "performance.f1", "params": {"threshold": 0.5}}])
def test_any_measure_that_takes_weights_is_corrected(of: Any) -> None:
    """Losses, ranks and thresholds on the score alike: without delay it equals the measure itself."""
    store, _ = stream(2, a_day=60)
    score = np.random.default_rng(1).random(len(store.rows))
    whole = Store(store.contract, replace(store.rows, score=score, delay=np.full(len(score), moment.HOUR)))
    plain: dict[str, Any] = {"measure": of, "params": {}} if isinstance(of, str) else of
    own = readings(whole, plain["measure"], plain["params"], days=10)[-1]
    assert corrected(whole, of).value == pytest.approx(own.value, rel=1e-12)


def test_chances_of_whole_panes_are_shares() -> None:
    """Where every pane has shown all of its labels, the chance is the share that came by then."""
    delay = np.random.default_rng(1).integers(1, 10**9, 500)
    found = Arrivals(np.full(500, EVER), np.zeros(500, np.int64), delay_bins(delay), np.ones(500))
    ends = delay_bins(np.array([10**7, 10**8, 5 * 10**8]))
    shares = [(delay_bins(delay) <= end).mean() for end in ends]
    assert chances(found, 0, 1)[0, ends] == pytest.approx(shares, rel=1e-12)


def test_young_panes_do_not_make_labels_look_fast() -> None:
    """A pane shows labels only up to its age: counted as they are, half of all delays seem to be below 1.6 days, where it is 2.8."""
    rng = np.random.default_rng(5)
    end = np.repeat(np.arange(20), 2_000) * moment.DAY
    delay = (rng.exponential(4, len(end)) * moment.DAY).astype(np.int64)
    as_of = 20 * moment.DAY
    came = end + delay <= as_of
    found = Arrivals(end[came], np.zeros(came.sum(), np.int64), delay_bins(delay[came]), np.ones(came.sum()))
    at = delay_bins(np.array([2, 5, 10]) * moment.DAY)
    assert chances(found, as_of, 1)[0, at] == pytest.approx(1 - np.exp(-np.array([2, 5, 10]) / 4), abs=0.02)


def test_a_class_of_few_labels_takes_the_delays_of_the_reference_and_else_those_of_all() -> None:
    """Fewer than 30 tell nothing; then no weight is known."""
    few, many = (Arrivals(np.full(n, EVER), np.arange(n) % 2, np.full(n, place), np.ones(n)) for n, place in ((10, 100), (80, 200)))
    assert np.isnan(learned([few], 0, 2)).all()
    assert learned([few, many], 0, 2)[:, 199].tolist() == [0, 0]
    other = learned([many], 0, 3)
    assert other[2, 200] == 1
    assert np.isnan(weights(learned([few], 0, 2), np.zeros(1, np.int64), np.zeros(1, np.int64))).all()


def test_rows_at_whose_age_a_class_has_no_labels_yet_do_not_count() -> None:
    """Else they would tell of the other class alone."""
    chance = np.full((2, 1_500), 1.0)
    chance[0, :1_000] = 0.01
    age = np.array([10**6, 10**15])
    assert weights(chance, np.array([1, 1]), age).tolist() == [0.0, 1.0]


def test_without_delays_there_is_no_value_and_the_reading_says_why() -> None:
    """As of panes of earlier versions."""
    made = binary(["1", "0"] * 50, ["1", "0"] * 50)
    made = Store(made.contract, replace(made.rows, delay=np.full(100, -1)))
    reading = corrected(made)
    assert (reading.value, reading.verdict, reading.reason[:20]) == (None, "not_estimable", "fewer than 30 labels")


def test_classes_and_ages_are_of_what_labels_mean() -> None:
    """Labels of other classes than the model's are a class of their own."""
    made = binary(["1"] * 120, ["1", "0", "2"] * 40, hour=np.arange(120) // 3)
    found = corrected(Store(made.contract, replace(made.rows, delay=np.full(120, moment.MINUTE))))
    assert found.value == pytest.approx(1 / 3)
    assert found.evidence["chance"] == {"0": 1.0, "1": 1.0, "other classes": 1.0}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"of": "performance.max_error"}, "cannot be corrected"),
        ({"of": "performance.mae"}, "is not for this model"),
        ({"of": {"measure": "performance.f1", "params": {"weighted": True}}}, "no weights"),
        ({"of": {"measure": "performance.f1", "params": {"beta": 2}}}, "params"),
        ({"of": "performance.f1", "learn": 0}, "learn"),
        ({"of": {"params": {}}}, "of"),
    ],
)
def test_wrong_params_are_refused(params: dict[str, Any], said: str) -> None:
    """With what is allowed."""
    with pytest.raises(ConfigError, match=said):
        field.params(params, spec(MEASURE), contract(binary(["1"], ["1"]).contract.task, "0", "1"))


def test_the_good_direction_is_that_of_the_measure() -> None:
    """And is part of the params, as the defaults of the measure are."""
    own = binary(["1"], ["1"]).contract
    assert field.params({}, spec(MEASURE), own)["of"] == "performance.accuracy"
    assert field.params({"of": "performance.log_loss"}, spec(MEASURE), own)["better"] == "less"
    assert field.params({"of": "performance.accuracy"}, spec(MEASURE), own) == {"of": "performance.accuracy", "learn": 30, "better": "more"}


def test_only_the_reference_is_its_baseline() -> None:
    """Other rows have had other labels to come."""
    text = f"- {{monitor: m, model: delay, measure: {MEASURE}, params: {{of: performance.accuracy}}, baseline: previous, warn: 0.1}}"
    with pytest.raises(ConfigError, match="is compared with the reference alone"):
        read(text)
    assert read(text.replace("previous", "reference")).monitors
