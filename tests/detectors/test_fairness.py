"""Fairness measures against the definitions of fairlearn in plain numpy, and their intervals by simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, studentized_range

from core.contract import Column, Kind
from detectors import catalogue
from detectors.by_group import GroupPredictions, OutcomesByGroup, PredictionsByGroup
from detectors.evidence import Confusion, Counts
from detectors.fairness.figure import Figure, Mean, Odds, Rate
from detectors.fairness.gap import Gap, _Side
from detectors.fairness.option import ClassParams, GapParams
from detectors.fairness.outermost import outermost
from detectors.simultaneous import bonferroni, tukey
from detectors.spec import Result

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
NAMES = tuple(f"sex={letter}" for letter in "abcd")
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=80)


def blocks(group: Ints, said: Ints, true: Ints, groups: int = 4) -> tuple[OutcomesByGroup, PredictionsByGroup]:
    """Evidence of one window and segment."""
    cells = np.zeros((1, 1, groups, 2, 2))
    np.add.at(cells[0, 0], (group, said, true), 1)
    n, counts = cells.sum((-1, -2)), np.zeros((1, 1, groups, 6))
    counts[..., :2] = cells.sum(-1)
    names = tuple(f"sex={place}" for place in range(groups)) if groups > len(NAMES) else NAMES[:groups]
    confusion = Confusion(n, ("0", "1"), np.diagonal(cells, axis1=-2, axis2=-1), cells.sum(-1), cells.sum(-2), 1)
    column = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))
    return OutcomesByGroup(names, confusion, n), PredictionsByGroup(names, Counts(counts, column, np.arange(6)), n)


def taken(name: str, group: Ints, said: Ints, true: Ints, groups: int = 4, **params: Any) -> Result:
    """A measure of rows."""
    spec = catalogue.spec(f"fairness.{name}")
    outcomes, predictions = blocks(group, said, true, groups)
    given_params = spec.params(**({"positive": "1"} if issubclass(spec.params, ClassParams) else {}), **params)
    return spec.compute(predictions if spec.evidence is PredictionsByGroup else outcomes, None, given_params)


def mean(of: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> float:
    """NaN of nothing."""
    return float(of[where].mean()) if where.any() else np.nan


RATES: dict[str, Callable[[Ints, Ints], list[float]]] = {
    "demographic_parity_difference": lambda p, _: [mean(p, p >= 0)],
    "demographic_parity_ratio": lambda p, _: [mean(p, p >= 0)],
    "equal_opportunity_difference": lambda p, y: [mean(p, y == 1)],
    "equalized_odds_difference": lambda p, y: [mean(p, y == 1), mean(p, y == 0)],
    "average_odds_difference": lambda p, y: [mean(p, y == 1), mean(p, y == 0)],
    "predictive_parity_difference": lambda p, y: [mean(y, p == 1)],
    "fpr_parity": lambda p, y: [mean(p, y == 0)],
    "fnr_parity": lambda p, y: [mean(1 - p, y == 1)],
    "fdr_parity": lambda p, y: [mean(1 - y, p == 1)],
    "for_parity": lambda p, y: [mean(y, p == 0)],
    "accuracy_parity": lambda p, y: [mean((p == y).astype(float), p >= 0)],
    "treatment_equality": lambda p, y: [float((y > p).sum()) / fp if (fp := float((p > y).sum())) else np.nan],
}


@pytest.mark.parametrize("name", RATES)
@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 6), st.sampled_from(["best_worst", "best", "overall", "sex=b"]))
def test_a_gap_is_that_of_its_definition(name: str, rows: list[tuple[int, int, int]], least: int, reference: str) -> None:
    """Of groups with enough rows and without 0/0; between any two, from one, or from all rows."""
    group, said, true = np.array(rows).T
    of = {place: np.array(RATES[name](said[group == place], true[group == place])) for place in range(4) if (group == place).sum() >= least}
    of = {place: rates for place, rates in of.items() if np.isfinite(rates).all()}
    result = taken(name, group, said, true, reference=reference, min_group=least)
    if len(of) < 2 or (reference == "sex=b" and 1 not in of):
        assert np.isnan(result.value).all()
        assert result.few is not None
        assert result.few.all()
        return
    stacked = np.stack(list(of.values()))
    own = np.array(RATES[name](said, true)) if reference == "overall" else of.get(1, np.zeros(0))
    ends = (
        np.stack([stacked.min(0), stacked.max(0)])
        if reference.startswith("best")
        else np.stack([np.broadcast_to(own, stacked.shape), stacked])
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        if name.endswith("ratio"):
            expected = (ends.min(0) / ends.max(0)).min() if (ends.max(0) > 0).any() else np.nan
        else:
            each = np.abs(ends[1] - ends[0]).reshape(-1, stacked.shape[1]).max(0)
            expected = each.mean() if name == "average_odds_difference" else each.max()
    if not np.isnan(expected):
        assert result.value[0, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", RATES)
@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["best_worst", "overall", "sex=b"]))
def test_an_interval_holds_its_value_and_evidence_says_which_groups(name: str, rows: list[tuple[int, int, int]], reference: str) -> None:
    """Whatever the rows are, all numbers are finite or missing, and groups that are too small have none."""
    group, said, true = np.array(rows).T
    result = taken(name, group, said, true, reference=reference, min_group=5)
    assert result.interval is not None
    assert result.evidence is not None
    lower, upper = (float(bound[0, 0]) for bound in result.interval(np.ones(1)))
    value = float(result.value[0, 0])
    if not np.isnan(value) and not np.isnan(lower):
        assert 0 <= lower <= value + 1e-9
        assert value <= upper + 1e-9
    (told,) = result.evidence((np.array([0]), np.array([0])))
    assert {one["group"] for one in told["groups"]} == {NAMES[place] for place in set(group.tolist())}
    for one in told["groups"]:
        assert one["n"] == int((group == NAMES.index(one["group"])).sum())
        assert one["suppressed"] is (one["value"] is None)
        assert one["n"] >= 5 or one["suppressed"]
    assert told["answer"] == ("a gap" if lower > 0 and not name.endswith("ratio") else told["answer"])
    assert ("pair" in told) == (not np.isnan(value) or (name.endswith("ratio") and bool(result.few is not None and not result.few[0, 0])))


@pytest.mark.parametrize("large", [(), ("sex=0",), ("sex=0", "sex=2")])
def test_a_reading_does_not_depend_on_other_windows(large: tuple[str, ...]) -> None:
    """A reference group without rows is one that has none in this window, whether others have some or not: the reason and the evidence are the same."""
    group = np.repeat([0, 2], [40 if "sex=0" in large else 5, 40 if "sex=2" in large else 5])
    said = np.arange(len(group)) % 2
    found = []
    for names in (("sex=0", "sex=2"), ("sex=0", "sex=1", "sex=2")):
        block = blocks(np.array([names.index(f"sex={one}") for one in group]), said, said, len(names))[0]
        result = catalogue.spec("fairness.fpr_parity").compute(
            replace(block, names=names), None, ClassParams(positive="1", reference="sex=1", min_group=10)
        )
        assert result.why is not None
        assert result.few is not None
        assert result.evidence is not None
        place = (np.array([0]), np.array([0]))
        found.append((result.value.tolist(), result.why.tolist(), result.few.tolist(), result.evidence(place)))
    assert str(found[0]) == str(found[1])
    assert found[0][2] == [[True]]


def test_two_groups_have_newcombes_interval() -> None:
    """By hand: 56 of 70 and 48 of 80 differ by 0.2, from 0.0524 to 0.3339 (Newcombe 1998, method 10)."""
    said = np.array([1] * 56 + [0] * 14 + [1] * 48 + [0] * 32)
    group = np.array([0] * 70 + [1] * 80)
    result = taken("demographic_parity_difference", group, said, said, 2)
    assert result.interval is not None
    assert [round(float(bound[0, 0]), 4) for bound in result.interval(np.ones(1))] == [0.0524, 0.3339]
    assert result.value[0, 0] == pytest.approx(0.2)


def figures(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Figure]:
    """Rates, odds and means of few rows, so that many are equal, 0, 1 or without an interval."""
    whole, count = rng.integers(0, 9, shape).astype(float), rng.integers(0, 9, shape).astype(float)
    total = rng.integers(-4, 5, shape) * np.minimum(whole, 1)
    square = total**2 / np.maximum(whole, 1) + rng.integers(0, 3, shape)
    return [Rate(np.minimum(count, whole), whole), Odds(count, whole), Mean(total, whole, square)]


def all_pairs(gap: Gap) -> Iterator[tuple[Floats, Floats, Flags]]:
    """The interval of every group against every other one, and whether it counts."""
    z = tukey(gap.kept.sum(-1), gap.families)[..., None]
    value, (lower, upper) = gap.figure.value, gap.figure.bounds(z)
    side = _Side(value, lower, upper)
    places = np.arange(value.shape[-1])
    for place in places.tolist():
        one = side.at(place)
        there = gap.kept & gap.kept[..., place, None] & (places != place)
        yield *(one.over(side) if gap.ratio else one.less(side)), there


def test_the_widest_gap_is_found_without_all_pairs() -> None:
    """The bounds are those of all pairs, to the last digit, and the most evident pair is one that has the largest lower bound."""
    rng = np.random.default_rng(7)
    for groups, ratio in product((2, 3, 5, 14), (False, True)):
        kept = rng.random((400, groups)) < 0.9
        for figure in figures(rng, kept.shape)[: 1 if ratio else 3]:
            gap = Gap(figure, kept & np.isfinite(figure.value), ratio=ratio)
            found, near, far = gap.bounds(np.ones(1)), np.full(400, -np.inf), np.full(400, -np.inf)
            lows = np.full((400, groups, groups), -np.inf)
            for place, (lower, upper, there) in enumerate(all_pairs(gap)):
                sides = (-upper, -lower) if ratio else (lower, upper)
                least, most = (np.where(there & ~np.isnan(side), side, -np.inf) for side in sides)
                lows[:, place], near, far = least, np.maximum(near, least.max(-1)), np.maximum(far, most.max(-1))
            lower, upper = (-far, np.minimum(-near, 1.0)) if ratio else (near, far)
            for one, other in ((found.lower, np.maximum(lower, 0.0)), (found.upper, upper)):
                expected = np.where(gap.compared & np.isfinite(other), other, np.nan)
                np.testing.assert_allclose(one, expected, rtol=1e-14 if ratio else 0, atol=0)
            evident = gap.compared & (near > (-1 if ratio else 0))
            first, second = (found.low, found.high) if ratio else (found.high, found.low)
            np.testing.assert_allclose(lows[np.arange(400), first, second][evident], near[evident], rtol=1e-14)


def test_of_ten_thousand_groups_few_are_compared() -> None:
    """A cross of 100 and 100 values: a side of the widest gap is one of some dozens of groups."""
    rng = np.random.default_rng(3)
    n = rng.integers(30, 2_000, (3, 10_000)).astype(float)
    rate = Rate(rng.binomial(n.astype(int), rng.beta(3, 5, n.shape)).astype(float), n)
    lower, upper = rate.bounds(4.0)
    for wide, (sign, width) in product((False, True), ((1, upper - rate.value), (-1, rate.value - lower))):
        assert outermost(sign * rate.value, width, n > 0, wide=wide)[0].shape[-1] < 200


def test_quantiles_are_those_of_the_studentized_range_and_of_bonferroni() -> None:
    """Of scipy, for 2 to 100 groups."""
    groups = np.array([2, 3, 7, 20, 100])
    expected = [studentized_range.ppf(0.975, count, np.inf) / np.sqrt(2) for count in groups]
    np.testing.assert_allclose(tukey(groups, 2), expected, rtol=1e-9)
    np.testing.assert_allclose(bonferroni(groups), norm.ppf(1 - 0.025 / groups))
    assert np.isnan(tukey(np.array([0, 1]))).all()


def test_equal_groups_have_no_gap_nearly_always() -> None:
    """Ten equal groups of 100 show a gap of 0.14 on average; of 2,000 windows at most about 5 % say that there is one, and none without doubt that four fifths are broken."""
    rng, windows = np.random.default_rng(5), 2_000
    counts = np.zeros((windows, 1, 10, 6))
    counts[..., 1] = rng.binomial(100, 0.3, (windows, 1, 10))
    counts[..., 0] = 100 - counts[..., 1]
    column = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))
    names = tuple(f"g={place}" for place in range(10))
    block = PredictionsByGroup(names, Counts(counts, column, np.arange(6)), counts.sum(-1))
    result = catalogue.spec("fairness.demographic_parity_difference").compute(block, None, ClassParams(positive="1", relevant=0.1))
    assert result.evidence is not None
    told = result.evidence((np.arange(windows), np.zeros(windows, np.int64)))
    assert result.value.mean() == pytest.approx(0.14, abs=0.01)
    assert np.mean([one["answer"] == "a gap" for one in told]) <= 0.06
    assert np.mean([not one["four_fifths"]["met"] for one in told]) > 0.9
    assert np.mean([one["four_fifths"]["certain"] and not one["four_fifths"]["met"] for one in told]) <= 0.05


@pytest.mark.parametrize(
    ("rates", "n", "answer"),
    [
        ((0.3, 0.3), 3000, "no gap found"),
        ((0.3, 0.5), 400, "a gap"),
        ((0.3, 0.35), 60, "too few to say"),
        ((0.3, 0.5), 20, "too few to say"),
    ],
)
def test_the_three_answers_are_different(rates: tuple[float, float], n: int, answer: str) -> None:
    """A gap that is evident; none that matters; rows that leave both possible, or no two groups."""
    said = np.concatenate([np.arange(n) < rate * n for rate in rates]).astype(int)
    result = taken("demographic_parity_difference", np.repeat([0, 1], n), said, said, 2, relevant=0.1)
    assert result.evidence is not None
    assert result.evidence((np.array([0]), np.array([0])))[0]["answer"] == answer


def test_the_evident_pair_is_of_the_rate_that_leaves_least_doubt() -> None:
    """The wider gap is in the true positive rate of few rows; the gap in the false positive rate of many is the one that is found."""
    sides = [np.concatenate([np.arange(40) < right, np.arange(2_000) < wrong]) for right, wrong in ((20, 200), (28, 400))]
    said, true = np.concatenate(sides).astype(int), np.tile(np.repeat([1, 0], [40, 2_000]), 2)
    result = taken("equalized_odds_difference", np.repeat([0, 1], 2_040), said, true, 2)
    assert result.evidence is not None
    (told,) = result.evidence((np.array([0]), np.array([0])))
    assert (told["answer"], told["rate"], told["evident_rate"]) == ("a gap", "tpr", "fpr")
    assert told["evident"] == told["pair"] == ["sex=b", "sex=a"]


@pytest.mark.parametrize("name", ["demographic_parity_difference", "demographic_parity_ratio", "selection_rate"])
def test_a_class_that_panes_do_not_count_has_no_selection_rate(name: str) -> None:
    """However many rows there are: the reason is that the reference never predicts it, and not that rows are few."""
    group = np.repeat([0, 1], [3, 300])
    _, predictions = blocks(group, group, group, 2)
    spec, of = catalogue.spec(f"fairness.{name}"), predictions.of
    single = GroupPredictions(of.counts[0], of.column, of.groups)
    result = spec.compute(single if name == "selection_rate" else predictions, None, spec.params(positive="2"))
    assert result.why is not None
    assert np.isnan(result.value).all()
    assert result.few is None or not result.few.any()
    assert {*result.why.ravel().tolist()} == {"the reference has no prediction of the positive class, so that panes do not count it"}


def test_accuracy_parity_takes_no_class() -> None:
    """All classes count."""
    assert catalogue.spec("fairness.accuracy_parity").params is GapParams
