"""Fairness by scores: other thresholds, calibration, and disparity among rows that are alike, against plain numpy."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from core.contract import Column, Contract, Dimension, Kind, Task
from core.error import ConfigError
from detectors import catalogue
from detectors.by_group import OutcomesByGroup, PredictionsByGroup, RankedByGroup, ScoredByGroup, ScoresByGroup, gone_of
from detectors.certainty import ScoreTable, ScoreTables
from detectors.evidence import Confusion, Counts
from detectors.fairness.disparity import disparity
from detectors.ranked import Ranked, ScoreCells, ScoredPredictions
from detectors.spec import Result, without_gone
from monitors.evidence.ranked import cells_of

NAMES = ("sex=a", "sex=b", "sex=c")
SCORES = [0.0, 0.2, 0.5, 0.7, 1.0]
ROWS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(SCORES), st.booleans()), min_size=1, max_size=60)
CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.BINARY,
    features=(),
    classes=("0", "1"),
    scored=True,
    dimensions=(Dimension(name="sex", values=("a", "b"), protected=True), Dimension(name="dept", values=("x", "y"))),
    crosses=(("sex", "dept"),),
)
PLACE = (np.array([0]), np.array([0]))


def columns(rows: list[tuple[int, float, bool]]) -> tuple[npt.NDArray[Any], ...]:
    """Groups, scores and labels."""
    group, score, label = (np.array(one) for one in zip(*rows, strict=True))
    return group, score, label


def by_class(group: npt.NDArray[Any], said: npt.NDArray[Any], label: npt.NDArray[Any]) -> tuple[OutcomesByGroup, PredictionsByGroup]:
    """Rows as they would be if they had been predicted so."""
    cells = np.zeros((1, 1, 3, 2, 2))
    np.add.at(cells[0, 0], (group, said.astype(int), label.astype(int)), 1)
    n, counts = cells.sum((-1, -2)), np.zeros((1, 1, 3, 6))
    counts[..., :2] = cells.sum(-1)
    confusion = Confusion(n, ("0", "1"), np.diagonal(cells, axis1=-2, axis2=-1), cells.sum(-1), cells.sum(-2), 1)
    column = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))
    return OutcomesByGroup(NAMES, confusion, n), PredictionsByGroup(NAMES, Counts(counts, column, np.arange(6)), n)


@pytest.mark.parametrize(
    "name", ["demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference", "for_parity", "treatment_equality"]
)
@settings(max_examples=25)
@given(ROWS, st.sampled_from([0.0, 0.2, 0.45, 1.0]), st.sampled_from(["best_worst", "overall", "sex=b"]))
def test_a_threshold_judges_scores_in_place_of_predictions(
    name: str, rows: list[tuple[int, float, bool]], threshold: float, reference: str
) -> None:
    """Value, interval and groups are those of the rows whose score is the threshold or more."""
    group, score, label = columns(rows)
    n = np.bincount(group, minlength=3).astype(float).reshape(1, 1, 3)
    ranked = RankedByGroup(NAMES, Ranked(n, n, (cells_of(group, label, score),), ("0", "1")), n)
    scored = ScoredByGroup(NAMES, ScoredPredictions(n, n, (cells_of(group, np.zeros(len(group), bool), score),), ("0", "1")), n)
    outcomes, predictions = by_class(group, score >= threshold, label)
    spec = catalogue.spec(f"fairness.{name}")
    params = spec.params(positive="1", reference=reference, min_group=3)
    of_predictions = spec.evidence is PredictionsByGroup
    wanted = spec.compute(predictions if of_predictions else outcomes, None, params)
    found = spec.compute(scored if of_predictions else ranked, None, msgspec.structs.replace(params, threshold=threshold))
    np.testing.assert_array_equal(found.value, wanted.value)
    assert str(found.why) == str(wanted.why)
    assert found.interval is not None
    assert wanted.interval is not None
    assert found.evidence is not None
    assert wanted.evidence is not None
    for one, other in zip(found.interval(np.ones(1)), wanted.interval(np.ones(1)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert str(found.evidence(PLACE)) == str(wanted.evidence(PLACE))


def test_score_bins_give_a_threshold_with_a_bound() -> None:
    """The rows of the bin that it cuts are shared out, and the evidence says how many they are."""
    n = np.array([[[10.0, 10.0]]])
    cells = ScoreCells(np.array([0, 0, 1]), np.array([0.5, 0.0, 0.0]), np.array([1.0, 0.5, 0.5]), np.zeros(3), np.array([4.0, 6.0, 10.0]))
    spec = catalogue.spec("fairness.demographic_parity_difference")
    found = spec.compute(
        ScoredByGroup(NAMES[:2], ScoredPredictions(n, n, (cells,), ("0", "1")), n),
        None,
        spec.params(positive="1", min_group=1, threshold=0.75),
    )
    assert found.value[0, 0] == pytest.approx(0.2)
    assert found.evidence is not None
    assert found.evidence(PLACE)[0]["bound"] == pytest.approx(0.4)


@settings(max_examples=40)
@given(ROWS, st.sampled_from(["best_worst", "overall", "sex=b"]))
def test_a_calibration_gap_is_that_of_mean_label_less_score(rows: list[tuple[int, float, bool]], reference: str) -> None:
    """Of groups with enough rows; each score has a bin of its own, so that intervals are exact too."""
    group, score, label = columns(rows)
    sums = np.zeros((4, 1, 1, 3, len(SCORES)))
    place = np.array([SCORES.index(one) for one in score])
    for at, side in enumerate((label, ~label)):
        np.add.at(sums[at, 0, 0], (group[side], place[side]), 1)
        np.add.at(sums[2 + at, 0, 0], (group[side], place[side]), score[side])
    table = ScoreTable(sums[0], sums[1], sums[2], sums[3], (0.1, 0.3, 0.6, 0.9))
    n = table.rows.sum(-1)
    spec = catalogue.spec("fairness.calibration_gap")
    params = spec.params(positive="1", reference=reference, min_group=4)
    found = spec.compute(ScoresByGroup(NAMES, ScoreTables(n, n, {"1": table}), n), None, params)
    of = {at: label[group == at] - score[group == at] for at in range(3) if (group == at).sum() >= 4}
    if len(of) < 2 or (reference == "sex=b" and 1 not in of):
        assert np.isnan(found.value).all()
        return
    means = [one.mean() for one in of.values()]
    own = (label - score).mean() if reference == "overall" else of[1].mean() if "=" in reference else None
    wanted = max(means) - min(means) if own is None else max(abs(one - own) for one in means)
    assert found.value[0, 0] == pytest.approx(wanted, abs=1e-12)
    assert found.evidence is not None
    for one in found.evidence(PLACE)[0]["groups"]:
        numbers = of.get(NAMES.index(one["group"]))
        assert one["suppressed"] is (numbers is None)
        if numbers is not None:
            half = norm.ppf(0.975) * np.sqrt(numbers.var(ddof=1) / len(numbers))
            assert one["upper"] - one["value"] == pytest.approx(half, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=80))
def test_conditional_disparity_is_that_of_its_definition(rows: list[tuple[int, int, bool]]) -> None:
    """The share of a group among the refused less that among the accepted, of each stratum, weighted by its rows; the disparities of all groups sum to 0."""
    group, stratum, accepted = columns(rows)  # type: ignore[arg-type]
    cells = np.zeros((2, 1, 1, 3, 3))
    for at, side in enumerate((accepted, np.ones(len(group), bool))):
        np.add.at(cells[at, 0, 0], (group[side], stratum[side]), 1)
    value, variance, counted = disparity(cells[0], cells[1])
    strata = [one for one in range(3) if 0 < accepted[stratum == one].sum() < (stratum == one).sum()]
    n = sum((stratum == one).sum() for one in strata)
    assert counted[0, 0] == n
    if not strata:
        assert np.isnan(value).all()
        return
    for own in range(3):
        each = [(stratum == one, group == own) for one in strata]
        parts = [(inside.sum() / n, one[inside & ~accepted], one[inside & accepted]) for inside, one in each]
        assert value[0, 0, own] == pytest.approx(sum(share * (no.mean() - yes.mean()) for share, no, yes in parts), abs=1e-12)
        spread = sum(share**2 * (no.var() / len(no) + yes.var() / len(yes)) for share, no, yes in parts)
        assert variance[0, 0, own] == pytest.approx(spread, abs=1e-12)
    assert value.sum() == pytest.approx(0, abs=1e-12)


def test_conditional_disparity_tells_simpsons_paradox() -> None:
    """Berkeley's kind: women are refused more often as a whole, since they apply where many are refused, and not within any department."""
    counts = {("f", "x"): (20, 100), ("f", "y"): (8, 10), ("m", "x"): (2, 10), ("m", "y"): (80, 100)}
    names = tuple(f"sex={sex},dept={dept}" for sex, dept in counts)
    accepted, n = (np.array([one[at] for one in counts.values()], float) for at in (0, 1))
    held = np.zeros((1, 1, 4, 6))
    held[0, 0, :, 0], held[0, 0, :, 1] = n - accepted, accepted
    column = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))
    groups = PredictionsByGroup(names, Counts(held, column, np.arange(6)), n.reshape(1, 1, 4))
    spec = catalogue.spec("fairness.conditional_demographic_disparity")
    params = spec.settle(spec.params(by="dept"), CONTRACT)
    found = spec.compute(groups, None, params)
    assert found.value[0, 0] == pytest.approx(0, abs=1e-12)
    assert found.evidence is not None
    (told,) = found.evidence(PLACE)
    assert [(one["group"], one["n"]) for one in told["groups"]] == [("sex=f", 110), ("sex=m", 110)]
    single = spec.compute(
        PredictionsByGroup(NAMES[:2], Counts(held[..., :2, :], column, np.arange(6)), n[:2].reshape(1, 1, 2)), None, params
    )
    assert "no cross of `dept`" in str(single.why)


@pytest.mark.parametrize(
    ("measure", "params", "told"),
    [
        ("conditional_demographic_disparity", {"by": "age"}, "no declared cross holds `age`"),
        ("fpr_parity", {"threshold": 0.5, "positive": "0"}, "judges the score of `1`"),
        ("calibration_gap", {"positive": "0"}, "the model has no score for `0`"),
    ],
)
def test_params_that_do_not_fit_are_refused(measure: str, params: dict[str, Any], told: str) -> None:
    """With what is allowed."""
    spec = catalogue.spec(f"fairness.{measure}")
    with pytest.raises(ConfigError, match=told):
        spec.settle(spec.params(**params), CONTRACT)


def test_a_threshold_needs_scores() -> None:
    """Of a binary model."""
    spec = catalogue.spec("fairness.selection_rate")
    with pytest.raises(ConfigError, match="binary model with scores"):
        spec.settle(spec.params(threshold=0.5), msgspec.structs.replace(CONTRACT, scored=False))


def test_groups_without_any_score_say_why_there_is_nothing() -> None:
    """One reason for all groups of a place: rows without a score, if any group has rows, else no rows."""
    n, labelled = np.zeros((2, 1, 2)), np.array([[[0.0, 3.0]], [[0.0, 0.0]]])
    tables = ScoresByGroup(NAMES[:2], ScoreTables(n, labelled, {}), n)
    assert tables.empty.tolist() == [["no labelled prediction has a score"], ["no labelled predictions"]]


def test_a_gap_has_no_value_where_raw_events_of_any_group_are_gone() -> None:
    """Of two windows with two groups each."""
    n, cells = np.full((2, 1, 2), 4.0), cells_of(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0))
    gone = np.array([[[False, True]], [[False, False]]])
    of = ScoredPredictions(n, n, (cells,), ("0", "1"), gone)
    assert gone_of(ScoredByGroup(NAMES[:2], of, n)).tolist() == [[True], [False]]
    assert gone_of(of).tolist() == gone.tolist()
    found = without_gone(Result(np.array([[0.5], [0.25]])), gone_of(ScoredByGroup(NAMES[:2], of, n)))
    assert found.why is not None
    assert (found.why.tolist(), found.value[1, 0]) == ([["raw events of the window are not there any more"], [None]], 0.25)
    assert np.isnan(found.value[0, 0])
