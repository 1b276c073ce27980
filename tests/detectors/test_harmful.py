"""Bets on harmful change: by hand, their bound, and how often they alarm in whole lives."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from core.error import ConfigError
from detectors.change.harmful import HarmfulParams, between_windows, gain, play, stakes, started, upper, usual
from detectors.change.unit_loss import VALUE, checked, unit_loss
from detectors.compare.difference import Of
from detectors.summary.loss import LossRows
from tests.monitors.outcomes import binary
from validation.harmful import ALPHA, ROWS, WORLDS, first_after, labelled, worth


def test_bets_by_hand() -> None:
    """Each start k has the part 1 / (k (k + 1)), and the mean of all bets counts; none loses more than half."""
    bound = np.array([0.4])
    assert stakes(bound).tolist() == [[0.1, 0.25, 0.5, 1.0, 1.25]]
    days = [[1.0, 0.0], [1.0], [], [1.0, 1.0]]
    gains = np.array([gain(np.array(day), bound).sum(axis=0) for day in days])
    there = np.array([bool(day) for day in days])
    each = [np.prod(1 + stakes(bound)[0][:, None] * (np.array(day) - 0.4), axis=1) for day in days]
    first = np.mean(each[0]) / 2
    second = np.mean(each[0] * each[1]) / 2 + np.mean(each[1]) / 6
    last = np.mean(each[0] * each[1] * each[3]) / 2 + np.mean(each[1] * each[3]) / 6 + np.mean(each[3]) / 20
    assert np.exp(play(gains, there).worth) == pytest.approx([first, second, second, last])


def test_bets_for_a_mean_time_begin_anew_when_they_are_worth_it() -> None:
    """Every start has the part 1; a day without rows is no start."""
    gains, there = np.log(np.array([[2.0], [2.0], [1.0], [2.0]])), np.array([True, True, False, True])
    found = play(gains, there, limit=5.0)
    assert np.exp(found.worth) == pytest.approx([2.0, 6.0, 0.0, 2.0])
    assert found.first.tolist() == [0, 0, 2, 2]


def test_rows_that_are_gone_end_all_bets_before_them() -> None:
    """Later starts keep their own parts, which are smaller."""
    gains, there = np.log(np.array([[2.0], [1.0], [2.0]])), np.array([True, False, True])
    gains[1] = -np.inf
    found = play(gains, there)
    assert np.exp(found.worth) == pytest.approx([1.0, 0.0, 2.0 / 12])
    assert found.first.tolist() == [0, 0, 2]


def test_the_bound_is_of_the_reference_and_of_what_is_tolerated() -> None:
    """The larger one of both; between days what is beyond chance counts twice."""
    rng = np.random.default_rng(3)
    few = (rng.random(200) < 0.2).astype(float)
    found = usual(few, np.repeat(np.arange(10), 20), HarmfulParams(), 0.05)
    assert found.bound == pytest.approx(beta.ppf(0.975, few.sum() + 1, 200 - few.sum()))
    risks = 0.2 + 0.05 * rng.standard_normal(400)
    many = (rng.random((400, 500)) < risks[:, None]).astype(float).ravel()
    day = np.repeat(np.arange(400), 500)
    assert between_windows(many, day) == pytest.approx(0.05, abs=0.005)
    assert between_windows((rng.random(200_000) < 0.2).astype(float), day) < 0.006
    varied = usual(many, day, HarmfulParams(), 0.05)
    assert varied.bound == pytest.approx(varied.risk + 2 * varied.between)
    assert usual(few, np.zeros(200, np.int64), HarmfulParams(risk=0.3), 0.05).bound == 0.3
    assert np.isnan(usual(np.ones(3), np.zeros(3, np.int64), HarmfulParams(), 0.05).bound)


def test_the_upper_bound_of_any_loss_holds_for_most_samples() -> None:
    """Of losses that are not 0 or 1 by the inequality of Chernoff and Hoeffding, which is wider than that of Clopper and Pearson."""
    rng = np.random.default_rng(5)
    wrong = sum(upper(rng.choice([0.0, 0.3, 1.0], 60), 0.1) < 1.3 / 3 for _ in range(400))
    assert binomtest(wrong, 400, 0.1, alternative="greater").pvalue > 0.001
    halves = np.array([0.0, 1.0] * 50)
    assert upper(halves, 0.05) < upper(np.append(halves, 0.5), 0.05)


def test_a_cost_is_a_share_of_the_largest_one() -> None:
    """Of gains what was not gained."""
    store = binary(["1", "1", "0", "0"], ["1", "0", "1", "0"])
    rows = LossRows(store.contract, store.rows)
    of = partial(Of, VALUE)
    assert unit_loss(of({"tp": 0.0, "fp": 1.0, "fn": 4.0, "tn": 0.0}), store.contract)(rows).tolist() == [0.0, 0.25, 1.0, 0.0]
    assert unit_loss(of({"tp": 4.0, "fp": -1.0, "better": "more"}), store.contract)(rows).tolist() == [0.0, 1.0, 0.8, 0.8]
    assert unit_loss(of({"costs": {"1>0": 2.0}}), store.contract)(rows).tolist() == [0.0, 1.0, 0.0, 0.0]


def test_no_loss_leaves_the_range_that_bets_are_made_for() -> None:
    """Not of a class that the model does not know, and not of scores that are no probabilities: a bet could lose more than it has."""
    store = binary(["1", "2", "0"], ["1", "1", "0"], np.array([0.5, 40.0, 0.0]))
    rows = LossRows(store.contract, store.rows)
    every = {f"{said}>{true}": 10.0 + (said != true) for said in "01" for true in "01"}
    assert unit_loss(Of(VALUE, {"costs": every}), store.contract)(rows) == pytest.approx([10 / 11, 0, 10 / 11])
    assert unit_loss(Of("performance.brier"), store.contract)(rows).tolist() == [0.25, 1.0, 0.0]


@pytest.mark.parametrize("of", [Of("performance.recall"), Of(VALUE, {"fp": 0.0}), Of("performance.brier", {"threshold": 0.4})])
def test_a_measure_without_losses_between_0_and_1_is_refused(of: Of) -> None:
    """Its message names what can be written."""
    with pytest.raises(ConfigError, match=r"write|leave"):
        checked(of, binary(["1"], ["1"]).contract)


def test_a_detection_is_late_by_the_change_and_its_onset_is_the_planted_day() -> None:
    """Whole lives alarm in no more of them than alpha; `validation.harmful` counts 10,000 of each kind."""
    rng = np.random.default_rng(7)
    wrong = rng.binomial(ROWS, 0.2, (300, 120))
    bound = np.full(300, 0.22)
    over = worth(*labelled(rng, WORLDS[0], wrong, ROWS, 7.0), bound) >= np.log(2 / ALPHA)
    assert binomtest(int(over.any(axis=1).sum()), 300, ALPHA, alternative="greater").pvalue > 0.001
    wrong[:, 60:] = rng.binomial(ROWS, 0.32, (300, 60))
    over = worth(wrong, ROWS - wrong, bound) >= np.log(2 / ALPHA)
    assert np.median(first_after(over, 60, ROWS)) < 10 * ROWS
    gains = wrong[0, :70, None] * gain(np.ones(1), bound[:1]) + (ROWS - wrong[0, :70, None]) * gain(np.zeros(1), bound[:1])
    assert abs(started(gains, np.ones(70, np.bool_)) - 60) <= 1
