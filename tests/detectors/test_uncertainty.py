"""Measures of uncertainty against scipy or plain Python on the raw rows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.baseline.kind import read as reference
from core.block import Floats
from core.contract import Column, Contract, Kind, Roles, Task
from core.error import ConfigError
from core.monitor import Monitor
from core.region import INTERVAL, SET
from core.segment import Segments
from detectors import catalogue
from detectors.certainty import Signals
from detectors.evidence import Losses, LossSums, Moments
from detectors.spec import Result
from detectors.summary.loss import LOSSES, LossRows, losses_of
from detectors.summary.performance import PerformanceSummary
from monitors.definition import field
from monitors.evaluation.frame import NONE, VERDICTS
from monitors.evaluation.verdict import Judgement, judge
from monitors.reference.derive import Options, derive
from tests.detectors import blocks
from tests.detectors.raw import Side

COLUMN = Column(name="@confidence", kind=Kind.NUMERIC, edges=(0.25, 0.5, 0.75))
SHARES = st.lists(st.one_of(st.integers(0, 64).map(lambda n: n / 64), st.sampled_from([np.nan, np.inf])), min_size=1, max_size=40)
ONE = np.ones(1)


def result(name: str, target: Any, baseline: Any = None, **params: Any) -> Result:
    """What a measure says of two sides."""
    spec = catalogue.spec(f"uncertainty.{name}")
    found: Result = spec.compute(target, baseline, msgspec.convert(params, spec.params))
    return found


def signals(task: Task = Task.BINARY, **columns: Floats) -> Signals:
    """The evidence of some signals."""
    rows = len(next(iter(columns.values())))
    held: dict[str, Moments] = {
        f"@{name}": Side(msgspec.structs.replace(COLUMN, name=f"@{name}"), values, values).of(Moments) for name, values in columns.items()
    }
    return Signals(np.full((1, 1), float(rows)), held, task)


@given(SHARES, SHARES)
def test_means_are_those_of_numpy_and_their_intervals_and_laws_those_of_scipy(xs: list[float], ys: list[float]) -> None:
    """Missing and invalid values do not count; none at all is no value."""
    one, two = (signals(confidence=np.array(values)) for values in (xs, ys))
    for target, other, values, others in ((one, two, xs, ys), (two, one, ys, xs)):
        x, y = (np.array([one for one in held if np.isfinite(one)]) for held in (values, others))
        found = result("confidence", target, other)
        assert found.interval is not None
        if not len(x):
            assert np.isnan(found.value).all()
            continue
        assert found.value.item() == pytest.approx(float(np.mean(x)), abs=1e-12)
        low, high = (bound.item() for bound in found.interval(ONE))
        if len(x) < 2:
            assert np.isnan([low, high]).all()
        elif np.ptp(x):
            assert (low, high) == pytest.approx(stats.t.interval(0.95, len(x) - 1, np.mean(x), stats.sem(x)), abs=1e-9)
        if min(len(x), len(y)) >= 2 and min(np.ptp(x), np.ptp(y)) > 0:
            assert found.law is not None
            t = stats.ttest_ind(x, y, equal_var=False).statistic
            assert found.law.statistic.item() == pytest.approx(t**2, rel=1e-6, abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 32).map(lambda n: n / 32), min_size=1, max_size=4), min_size=1, max_size=20))
def test_the_variance_of_an_ensemble_splits_by_the_law_of_total_variance(members: list[list[float]]) -> None:
    """Knowledge is the mean of the members' variances, data the mean of their own p (1 - p), and both add up to that of the mean members."""
    held = signals(ensemble_mean=np.array([np.mean(one) for one in members]), ensemble_std=np.array([np.std(one) for one in members]))
    found = result("ensemble_variance", held)
    assert found.value.item() == pytest.approx(np.mean([np.var(one) for one in members]), abs=1e-12)
    assert found.evidence is not None
    ((said),) = found.evidence((np.array([0]), np.array([0])))
    data = np.mean([np.mean(np.array(one) * (1 - np.array(one))) for one in members])
    assert (said["data"], said["total"]) == pytest.approx((data, data + found.value.item()), abs=1e-12)


def test_a_signal_that_the_contract_does_not_have_is_no_value_with_that_reason() -> None:
    """The reading says which signal it is."""
    found = result("entropy", signals(confidence=np.ones(3)))
    assert found.why is not None
    assert np.isnan(found.value).all()
    assert found.why.item() == "the contract has no signal `@entropy`"


@st.composite
def _of_task(draw: Any) -> tuple[Contract, Any, Any]:
    task = draw(blocks.TASKS)
    name = INTERVAL if task == Task.REGRESSION else SET
    contract = msgspec.structs.replace(blocks.contract(task), signals=(Column(name=name, kind=Kind.NUMERIC),))
    return contract, draw(blocks.outcomes(task)), draw(blocks.outcomes(task))


def _inside(summary: PerformanceSummary, name: str) -> dict[tuple[Any, ...], tuple[int, float]]:
    """By pane, the rows that have the loss and its sum."""
    rows = summary.to_columns().to_pylist()
    places = [row["loss"].index(name) for row in rows]
    keys = [tuple(row[key] for key in ("slot", "version", "role", "segment")) for row in rows]
    return {key: (row["loss_count"][at], row["loss_sum"][at]) for key, row, at in zip(keys, rows, places, strict=True)}


@given(_of_task())
def test_panes_count_the_labels_in_their_intervals_and_sets(drawn: tuple[Contract, Any, Any]) -> None:
    """As plain Python counts them, row by row; panes of two blocks add up to those of both together."""
    contract, one, other = drawn
    segments, name = Segments(contract), "in_interval" if contract.task == Task.REGRESSION else "in_set"
    parts = [PerformanceSummary.of(contract, segments, block) for block in (one, other)]
    together = PerformanceSummary.of(contract, segments, blocks.concat(one, other))
    assert _inside(parts[0].merge(parts[1]), name) == _inside(together, name)
    wanted = []
    for row in range(len(one)):
        if contract.task == Task.REGRESSION:
            lower, upper = (bounds[row] for bounds in one.interval)
            known = np.isfinite([lower, upper, one.label[row], one.prediction[row]]).all()
            wanted.append(float(lower <= one.label[row] <= upper) if known else np.nan)
        else:
            members = one.sets[row]
            held = {name for name, inside in zip(contract.classes, members, strict=True) if inside == 1}
            wanted.append(float(one.label.texts[one.label.codes[row]] in held) if not np.isnan(members).all() else np.nan)
    np.testing.assert_array_equal(LOSSES[name].of(LossRows(contract, one)), np.array(wanted, np.float64))


def test_a_contract_without_the_signal_keeps_no_such_loss() -> None:
    """Its panes stay as they are."""
    assert not any({"in_interval", "in_set"} & {*losses_of(blocks.contract(task))} for task in Task)


@pytest.mark.parametrize("name", ["interval_coverage", "set_coverage"])
def test_coverage_is_a_rate_with_wilsons_interval(name: str) -> None:
    """80 of 100 labels in their region; with phi 4 it is the interval of 25 rows. Nothing with a region: no value."""
    loss = "in_interval" if name == "interval_coverage" else "in_set"
    held = LossSums(*(np.full((1, 1), value) for value in (100.0, 80.0, 80.0)))
    found = result(name, Losses(np.full((1, 1), 120.0), {loss: held}), promise=0.9)
    assert found.interval is not None
    assert found.value.item() == 0.8
    for phi, rows in ((1.0, 100), (4.0, 25)):
        low, high = (bound.item() for bound in found.interval(np.full(1, phi)))
        assert (low, high) == pytest.approx(tuple(stats.binomtest(rows * 8 // 10, rows).proportion_ci(method="wilson")), abs=1e-12)
    assert np.isnan(result(name, Losses(np.full((1, 1), 120.0), {}), promise=0.9).value).all()


def test_rows_without_a_region_or_a_signal_do_not_count_for_min_samples() -> None:
    """Of 1,000 labelled rows 3 have an interval: n is 3. Where none has one it is all, and the reason that none has."""
    sizes = np.array([[1_000.0, 1_000.0]])
    held = LossSums(np.array([[3.0, 0.0]]), np.array([[2.0, 0.0]]), np.array([[2.0, 0.0]]))
    spec = catalogue.spec("uncertainty.interval_coverage")
    assert spec.counted(Losses(sizes, {"in_interval": held})).tolist() == [[3.0, 1_000.0]]
    assert spec.counted(Losses(sizes, {})).tolist() == sizes.tolist()
    some = signals(entropy=np.array([0.1, np.nan, np.nan, 0.3]))
    assert catalogue.spec("uncertainty.entropy").counted(some).tolist() == [[2.0]]
    assert catalogue.spec("uncertainty.margin").counted(some).tolist() == [[4.0]]


def test_the_promise_is_the_level_of_the_contracts_intervals_unless_it_is_written() -> None:
    """Without either the monitor is refused."""
    spec, contract = catalogue.spec("uncertainty.interval_coverage"), blocks.contract(Task.REGRESSION)
    levelled = msgspec.structs.replace(contract, roles=Roles(interval=("low", "high", 0.8)))
    assert spec.settle(spec.params(), levelled).promise == 0.8
    assert spec.settle(spec.params(promise=0.95), levelled).promise == 0.95
    with pytest.raises(ConfigError, match="what is promised"):
        spec.settle(spec.params(), contract)


def test_a_coverage_without_a_baseline_may_have_a_side() -> None:
    """`{below: 0.85}` is of the coverage itself, whatever is promised; a baseline leaves only the distance."""
    about, baseline = catalogue.spec("uncertainty.interval_coverage").about, reference("reference")
    assert field.threshold({"below": 0.85}, about, None) == {"below": 0.85}
    with pytest.raises(ConfigError, match="farther from the promise"):
        field.threshold({"below": 0.85}, about, baseline)
    with pytest.raises(ConfigError, match="has a side"):
        field.ordered(0.03, {"above": 0.97})
    monitor = Monitor(name="c", model="m", measure=about.name, params={"promise": 0.9}, critical={"below": 0.85}, min_samples=1)
    value, nothing, n = np.array([0.84, 0.9, 0.99]), np.full(3, np.nan), np.full(3, 100)
    given = Judgement(value, nothing, nothing, nothing, 1)
    codes, _ = judge(monitor, about, given, n, np.full(3, NONE), "", "")
    assert [VERDICTS[code] for code in codes] == ["critical", "ok", "ok"]


def test_a_coverage_is_judged_by_its_distance_from_the_promise() -> None:
    """Too few labels inside are as bad as too many; against a baseline counts how much farther away it is."""
    about = catalogue.spec("uncertainty.set_coverage").about
    off = about.worse(np.array([0.8, 0.9, 1.0]), np.array([0.9, 0.8, 0.95]), against=False, promise=0.9)
    assert off == pytest.approx([0.1, 0.0, 0.1])
    farther = about.worse(np.array([0.8, 0.9]), np.array([0.9, 0.8]), against=True, promise=0.9)
    assert farther == pytest.approx([0.1, -0.1])


@pytest.mark.parametrize(
    ("sets", "count", "inside"),
    [([None, None, None, None], 0, 0), ([[0, 1], [1], [], None], 3, 2), ([["1"], ["1"], ["0"], ["9"]], 4, 2), ([[True]] * 4, 4, 2)],
)
def test_a_reference_tells_how_often_its_sets_hold_the_label(sets: list[Any], count: int, inside: int) -> None:
    """Members are numbers, texts or booleans; a row without a set does not count, an empty set holds no label, and a column of nulls stops nothing."""
    ids, classes = ["a", "b", "c", "d"], [0, 1, 0, 1]
    table = pa.table({"prediction_id": ids, "x": [1.0, 2.0, 3.0, 4.0], "prediction": classes, "label": classes, "s": pa.array(sets)})
    _, summary = derive("m", table, Options.of({"task": "binary", "prediction_set": "s"}))
    (row,) = summary.performance.to_columns().to_pylist()
    place = row["loss"].index("in_set")
    assert (row["loss_count"][place], row["loss_sum"][place]) == (count, inside)
