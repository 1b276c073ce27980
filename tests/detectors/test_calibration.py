"""Calibration of scores against plain numpy on the raw rows, and against scikit-learn's curve where its bins are ours."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from core.block import Floats
from core.contract import Task
from core.error import ConfigError
from detectors import catalogue
from detectors.certainty import ScoreTable, ScoreTables
from detectors.spec import Result
from detectors.summary.score import LOGIT
from detectors.uncertainty.calibration import NO_PROBABILITY, Curve, ece, groups, mce
from tests.detectors import blocks

TENTHS = tuple(np.linspace(0, 1, 11)[1:-1].tolist())
ROWS = st.lists(st.tuples(st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1)), st.booleans()), max_size=60)


def table(score: Floats, label: Floats, edges: tuple[float, ...] = TENTHS) -> ScoreTable:
    """The table of some rows, as panes have it."""
    place, size = np.searchsorted(edges, score, side="right"), len(edges) + 1
    sums = (label, 1 - label, score * label, score * (1 - label))
    positive, negative, positive_sum, negative_sum = (np.bincount(place, one, size).astype(np.float64)[None, None] for one in sums)
    return ScoreTable(positive, negative, positive_sum, negative_sum, edges)


def result(name: str, *tables: ScoreTable, **params: Any) -> Result:
    """What a measure says of the classes 1, 2 and so on."""
    n = tables[0].rows.sum(-1)
    of = {str(index): held for index, held in enumerate(tables, 1)}
    spec = catalogue.spec(f"uncertainty.{name}")
    found: Result = spec.compute(ScoreTables(n, n, of), None, msgspec.convert({"class": "1"} | params, spec.params))
    return found


@given(ROWS)
def test_all_measures_are_those_of_numpy_row_by_row(rows: list[tuple[float, bool]]) -> None:
    """Scores of exactly 0 and 1, one class only, groups without rows, no rows."""
    score, label = np.array([one for one, _ in rows]), np.array([float(one) for _, one in rows])
    held = table(score, label)
    found = {name: result(name, held).value.item() for name in ("brier_reliability", "brier_resolution", "ece", "mce")}
    if not rows:
        assert all(np.isnan(value) for value in found.values())
        return
    group = np.searchsorted(TENTHS, score, side="right")
    each = [(np.mean(group == one), label[group == one].mean(), score[group == one].mean()) for one in np.unique(group)]
    weight, rate, mean = np.array(each).T
    curve = Curve.of(held)
    assert ece(curve).item() == pytest.approx(float((weight * np.abs(rate - mean)).sum()), abs=1e-9)
    assert mce(curve).item() == pytest.approx(float(np.abs(rate - mean).max()), abs=1e-9)
    noise = np.array(
        [label[group == one].var(ddof=1) / (group == one).sum() if (group == one).sum() > 1 else 0.0 for one in np.unique(group)]
    )
    of_base = label.var(ddof=1) / len(label) if len(label) > 1 else 0.0
    assert found["brier_reliability"] == pytest.approx(float((weight * ((rate - mean) ** 2 - noise)).sum()), abs=1e-9)
    assert found["brier_resolution"] == pytest.approx(float((weight * ((rate - label.mean()) ** 2 - noise)).sum()) + of_base, abs=1e-9)
    assert 0 <= found["ece"] <= ece(curve).item() + 1e-12
    assert 0 <= found["mce"] <= mce(curve).item() + 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_scikit_learn_and_the_parts_add_up_to_the_brier_score(seed: int) -> None:
    """Where all scores of a group are equal, Brier = reliability - resolution + the unbiased variance of labels (Murphy 1973; Ferro and Fricker 2012)."""
    rng = np.random.default_rng(seed)
    score = (rng.integers(0, 10, 500) + 0.5) / 10
    label = (rng.random(500) < score**1.3).astype(float)
    held = table(score, label)
    found = result("brier_reliability", held)
    assert found.evidence is not None
    ((said),) = found.evidence((np.array([0]), np.array([0])))
    rate, mean = calibration_curve(label, score, n_bins=10)
    assert [one["rate"] for one in said["curve"]] == pytest.approx(rate.tolist())
    assert [one["score"] for one in said["curve"]] == pytest.approx(mean.tolist())
    base = label.var(ddof=1)
    parts = found.value.item() - result("brier_resolution", held).value.item() + base
    assert parts == pytest.approx(brier_score_loss(label, score), abs=1e-12)


@pytest.mark.parametrize("name", ["ece", "mce"])
def test_a_calibrated_model_has_nearly_no_error_on_average_and_a_uniform_chance(name: str) -> None:
    """The raw error of 200 rows is about 0.08 on average although the model is right; the debiased one is a third of that, and p is below 0.1 in about a tenth. So is the largest."""
    rng, raw, value, p = np.random.default_rng(1), [], [], []
    for _ in range(200):
        score = rng.random(200)
        found = result(name, table(score, (rng.random(200) < score).astype(float), LOGIT))
        assert found.evidence is not None
        ((said),) = found.evidence((np.array([0]), np.array([0])))
        raw.append(said["raw"])
        p.append(said["p_calibrated"])
        value.append(found.value.item())
    assert np.mean(value) < np.mean(raw) / 3
    assert 0.05 < np.mean(np.array(p) < 0.1) < 0.16


def test_an_error_that_is_there_is_found() -> None:
    """Scores that are 0.2 too high: the error is about 0.2, and chance does not explain it."""
    rng = np.random.default_rng(2)
    score = rng.uniform(0.3, 0.9, 2_000)
    found = result("ece", table(score, (rng.random(2_000) < score - 0.2).astype(float), LOGIT))
    assert found.evidence is not None
    ((said),) = found.evidence((np.array([0]), np.array([0])))
    assert found.value.item() == pytest.approx(0.2, abs=0.04)
    assert said["p_calibrated"] < 1e-6


def test_a_moderate_error_is_not_taken_for_chance() -> None:
    """Scores that are 0.03 too high: of 1,000 rows chance alone makes as much. Of the error about two thirds are left, of 10,000 rows nearly all."""
    rng, means = np.random.default_rng(5), []
    for rows in (1_000, 10_000):
        scores = [rng.uniform(0.05, 0.95, rows) for _ in range(50)]
        values = [result("ece", table(one, (rng.random(rows) < one - 0.03).astype(float), LOGIT)).value.item() for one in scores]
        means.append(np.mean(values))
    assert 0.018 < means[0] < 0.03
    assert means[1] == pytest.approx(0.03, abs=0.004)


def test_reliability_and_resolution_have_no_bias() -> None:
    """A window of 200 rows and a reference of many have the same ones on average."""
    rng = np.random.default_rng(6)

    def values(rows: int) -> list[float]:
        score = rng.random(rows)
        held = table(score, (rng.random(rows) < score**1.2).astype(float))
        return [result(name, held).value.item() for name in ("brier_reliability", "brier_resolution")]

    few = np.mean([values(200) for _ in range(500)], axis=0)
    assert few == pytest.approx(np.array(values(500_000)), abs=0.0015)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[float, bool]], shuffle: random.Random) -> None:
    """Sums of scores differ by rounding, and values by no more than that."""
    mixed = list(rows)
    shuffle.shuffle(mixed)
    held = [table(np.array([one for one, _ in some]), np.array([float(one) for _, one in some])) for some in (rows, mixed)]
    for name in ("ece", "mce", "brier_reliability", "brier_resolution"):
        one, other = (result(name, sums).value.item() for sums in held)
        assert one == pytest.approx(other, abs=1e-9)


NASTY = st.one_of(st.floats(0, 1), st.sampled_from([1e6, -1e6, 1e200, -1e200, 1.7e308, -1.7e308, 1.5, -0.5]))


@pytest.mark.parametrize("name", ["ece", "mce", "brier_reliability", "brier_resolution"])
@pytest.mark.parametrize("scores", [[1e200, 0.5], [-1e200, 0.5], [1e6, *[0.5] * 999], [1.7e308, 1.7e308], [-0.5, 0.2]])
def test_scores_that_are_no_probabilities_give_no_value_with_that_reason(name: str, scores: list[float]) -> None:
    """One of them is enough; the place beside it has its value."""
    good = table(np.full(len(scores), 0.5), np.ones(len(scores)))
    with np.errstate(over="ignore"):
        bad = table(np.array(scores), np.ones(len(scores)))
    found = result(name, _beside(bad, good))
    assert found.why is not None
    assert np.isnan(found.value).ravel().tolist() == [True, False]
    assert found.why.ravel().tolist() == [NO_PROBABILITY, None]
    assert found.value[1].item() == result(name, good).value.item()


@given(st.lists(st.tuples(NASTY, st.booleans()), max_size=30))
def test_values_and_evidence_are_finite_or_missing(rows: list[tuple[float, bool]]) -> None:
    """Whatever the scores are. What has a value is at most 1."""
    with np.errstate(over="ignore"):
        held = table(np.array([one for one, _ in rows]), np.array([float(one) for _, one in rows]))
    for name in ("ece", "mce", "brier_reliability", "brier_resolution"):
        found = result(name, held)
        assert found.evidence is not None
        if not np.isnan(found.value.item()):
            assert abs(found.value.item()) <= 1
            assert "Infinity" not in json.dumps(said := found.evidence((np.array([0]), np.array([0]))))
            assert "NaN" not in json.dumps(said)


def _beside(*tables: ScoreTable) -> ScoreTable:
    sums = ("positive", "negative", "positive_sum", "negative_sum")
    return ScoreTable(**{name: np.concatenate([getattr(one, name) for one in tables]) for name in sums}, edges=tables[0].edges)


def test_the_value_of_a_place_does_not_depend_on_the_places_beside_it() -> None:
    """A window evaluated alone and among others."""
    rng = np.random.default_rng(3)
    tables = [table(score := rng.random(50), (rng.random(50) < score).astype(float)) for _ in range(4)]
    together = result("ece", _beside(*tables)).value.ravel().tolist()
    assert together == pytest.approx([result("ece", one).value.item() for one in tables], abs=1e-12)


def test_without_a_class_it_is_the_mean_over_the_classes_with_rows() -> None:
    """A class without rows does not count."""
    rng = np.random.default_rng(4)
    score = rng.random(300)
    held = [table(score, (rng.random(300) < share).astype(float)) for share in (0.3, 0.6)]
    empty = table(np.zeros(0), np.zeros(0))
    alone = [result("brier_reliability", one).value.item() for one in held]
    assert result("brier_reliability", *held, empty, **{"class": None}).value.item() == pytest.approx(np.mean(alone))


def test_groups_are_cut_at_the_edges_nearest_to_the_tenths() -> None:
    """With the edges of log odds alone no cut is farther off than 0.025; one edge makes two groups, and none one."""
    group, cuts = groups(LOGIT), np.array(LOGIT)
    ends = cuts[np.flatnonzero(np.diff(group))]
    assert len(ends) == 9
    assert np.abs(ends - np.arange(1, 10) / 10).max() < 0.025
    assert groups((0.5,)).tolist() == [0, 1]
    assert groups(()).tolist() == [0]


def test_a_class_without_a_score_is_refused_by_name() -> None:
    """A binary model has scores of its positive class."""
    spec, contract = catalogue.spec("uncertainty.ece"), blocks.contract(Task.BINARY)
    assert spec.settle(spec.params(), contract).class_ == "1"
    with pytest.raises(ConfigError, match="no score for a class `0`"):
        spec.settle(spec.params(class_="0"), contract)
