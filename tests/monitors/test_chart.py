"""Charts of other measures, from panes to readings, and what the grammar takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core import moment
from core.baseline.reference import Reference
from core.error import ConfigError
from core.monitor import Monitor
from core.reading import Verdict
from core.span import Spans
from core.window.tumbling import Tumbling
from detectors import catalogue
from detectors.change.chart import CusumParams, charts, course
from detectors.change.harmful import harms
from monitors.definition.grammar import parse
from monitors.definition.sides import compares
from monitors.evaluation.charted import charted
from monitors.evaluation.frame import VERDICTS
from monitors.evaluation.watched import Touch, slots_touching, touched_by, wait
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from tests.monitors import outcomes
from tests.monitors.contracts import CONTRACTS

HOURS, EACH = 50, 30


def _stream() -> tuple[outcomes.Store, Any]:
    """Errors that grow after 30 hours, and none in hour 7; and the mean absolute error of each hour."""
    rng = np.random.default_rng(6)
    size = np.abs(rng.normal(np.where(np.arange(HOURS * EACH) < 30 * EACH, 2, 3), 1))
    hour = np.repeat(np.arange(HOURS), EACH)
    there = hour != 7
    values = np.where(np.arange(HOURS) == 7, np.nan, size.reshape(HOURS, EACH).mean(1))
    return outcomes.numbers(size[there], np.zeros(there.sum()), hour[there]), values


def test_a_chart_is_that_of_the_values_of_windows() -> None:
    """Windows without rows are none, and those from which it learns say so."""
    store, values = _stream()
    found = outcomes.readings(store, "change.cusum", {}, HOURS)
    expected = course(values, CusumParams())
    assert [np.nan if one.value is None else one.value for one in found] == pytest.approx(expected.value.tolist(), nan_ok=True)
    assert (found[7].verdict, found[3].verdict) == (Verdict.NODATA, Verdict.INSUFFICIENT)
    assert found[3].reason == "it learns from the first windows what is usual"
    (at,) = expected.detections
    told = found[at].evidence
    assert told["onset"] == "1970-01-02T06:00:00Z"
    assert (told["of_value"], told["since"], told["windows"]) == (pytest.approx(values[at]), "1970-01-01T00:00:00Z", at + 1)


def test_what_is_told_of_a_window_depends_on_no_later_one() -> None:
    """The first windows of a stream read the same when the others have come."""
    store, _ = _stream()
    assert outcomes.readings(store, "change.ewma", {}, HOURS)[:35] == outcomes.readings(store, "change.ewma", {}, 35)


def test_windows_after_the_last_event_are_told_the_same_one_by_one() -> None:
    """A silence closes window after window: each is read beside the silent ones before it, as all at once."""
    store, _ = _stream()
    hourly, given = Tumbling(moment.HOUR), {"of": "service.throughput", "mean": 3, "sd": 1}
    monitor = Monitor(name="a", model="m", measure="change.cusum", params=given, window=hourly, critical=1.0)
    reads: Any = SimpleNamespace(slots=store.slots(store.contract)[0], scope=Scope(Model(store.contract, None), ("all",), ("",), ()))

    def silent(_monitor: Monitor, windows: Spans, _reads: Reads) -> Any:
        """Three events a second in each hour with rows, none after them."""
        value = np.where(windows.start < HOURS * moment.HOUR, 3.0, 0.0)[:, None, None]
        ok = np.full(value.shape, VERDICTS.index(Verdict.OK), np.int8)
        return SimpleNamespace(value=value, n_target=value.astype(np.int64), verdict=ok, reason=np.full(value.shape, None, object))

    def values(first: int, last: int) -> list[float]:
        windows = hourly.between(first * moment.HOUR, last * moment.HOUR)
        found: list[float] = charted(silent, lambda _: reads, monitor, windows, reads).value[:, 0, 0].tolist()
        return found

    assert values(0, HOURS + 5)[-6:] == [0.5, 1.0] * 3
    assert [values(hour, hour)[0] for hour in range(HOURS, HOURS + 6)] == [0.5, 1.0] * 3


@pytest.mark.parametrize(
    ("of", "touch"),
    [("quality.rejected_rate", Touch.ARRIVALS), ("quality.duplicate_rate", Touch.COPIES), ("performance.mae", Touch.EVENTS)],
)
def test_a_chart_changes_with_its_measure(of: str, touch: Touch) -> None:
    """What touches readings of the measure touches those of its chart, and so do events, which make windows exist."""
    (monitor,) = parse(f"- {{monitor: a, model: taxi-fare, measure: change.cusum, params: {{of: {of}}}}}", contract=CONTRACTS.get).monitors
    assert touched_by(monitor) is touch
    slots = {one: np.array([place]) for place, one in enumerate(Touch)}
    assert slots_touching(monitor, slots).tolist() == sorted({int(slots[touch][0]), int(slots[Touch.EVENTS][0])})


def test_a_chart_waits_as_long_as_its_measure() -> None:
    """For labels, say."""
    of = "{measure: quality.label_coverage, params: {wait: 2d}}"
    (monitor,) = parse(f"- {{monitor: a, model: taxi-fare, measure: change.cusum, params: {{of: {of}}}}}", contract=CONTRACTS.get).monitors
    assert wait(monitor) == 2 * moment.DAY


def test_a_chart_takes_any_measure_with_its_params_and_column() -> None:
    """With the baseline that it needs. What is kept has the params filled in."""
    text = """
- {monitor: a, model: taxi-fare, measure: change.cusum}
- {monitor: b, model: taxi-fare, measure: change.ewma, baseline: reference, params: {of: {measure: drift.psi, column: trip_distance}}}
- {monitor: c, model: delay, measure: change.cusum, params: {of: {measure: performance.fbeta, params: {beta: 2}}}}
"""
    a, b, c = parse(text, contract=CONTRACTS.get).monitors
    assert (a.params["of"], a.critical, a.min_samples) == ("performance.mae", 1.0, 1)
    assert (b.params["of"]["measure"], b.params["of"]["column"], b.baseline) == ("drift.psi", "trip_distance", Reference())
    assert c.params["of"]["params"]["beta"] == 2


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("params: {of: compare.difference}", "`compare.difference` cannot be charted"),
        ("params: {of: drift.domain_classifier}", "`drift.domain_classifier` cannot be charted"),
        ("params: {of: performance.accuracy}", "`performance.accuracy` is not for regression models"),
        ("params: {of: drift.psi}, baseline: reference", "`drift.psi` is of a column"),
        ("params: {of: {measure: drift.psi, column: trip_distance}}", "`drift.psi` compares with a baseline"),
        ("params: {of: {measure: performance.mae, column: trip_distance}}", "`performance.mae` is of the whole model"),
        ("params: {of: {measure: drift.psi, column: trip_distanc}}, baseline: reference", "there is no column `trip_distanc`"),
        ("params: {of: {measure: fairness.mean_prediction_gap, column: nobody}}", "there is no segment `nobody`"),
        ("target: {window: 2h, every: 1h}", "these overlap"),
    ],
)
def test_what_cannot_be_charted_is_refused(fields: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(ConfigError, match=why):
        parse(f"- {{monitor: a, model: taxi-fare, measure: change.cusum, {fields}}}", contract=CONTRACTS.get)


def test_what_is_not_computed_from_evidence_has_a_course_of_its_own() -> None:
    """Charts, bets on harmful change, and comparisons: the evaluation knows each of them."""
    assert [one.of_course for one in catalogue.SPECS] == [charts(one) or harms(one) or compares(one) for one in catalogue.SPECS]
    assert sum(one.of_course for one in catalogue.SPECS) == 4
