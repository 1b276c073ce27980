"""The monitors of a model that has only a reference."""

from __future__ import annotations

import msgspec
import yaml

from core.baseline.reference import Reference
from core.contract import Task, UsualWindow
from core.moment import DAY, HOUR
from core.monitor import Compare, Gate, Severity
from core.window.tumbling import Tumbling
from monitors.definition.default import defaults
from monitors.definition.grammar import parse
from tests.monitors.contracts import CONTRACTS, DELAY, FARE
from tests.monitors.test_grammar import documents


def test_every_usual_measure_that_fits_is_watched() -> None:
    """Errors for a regression; classes, and AUC where there are scores, for a binary model."""
    both = ["default-quality.null_rate", "default-drift.psi", "default-drift.js", "default-drift.tail_share"]
    unscored = msgspec.structs.replace(DELAY, scored=False)
    assert [*both, "default-performance.mae", "default-performance.rmse"] == [monitor.name for monitor in defaults(FARE)]
    assert [*both, "default-performance.accuracy", "default-performance.f1"] == [monitor.name for monitor in defaults(unscored)]
    assert [*both, "default-performance.accuracy", "default-performance.f1", "default-performance.roc_auc"] == [
        monitor.name for monitor in defaults(DELAY)
    ]
    assert "default-performance.roc_auc" in [monitor.name for monitor in defaults(msgspec.structs.replace(DELAY, task=Task.MULTICLASS))]


def test_without_times_of_the_reference_they_report_without_thresholds_on_all_and_watch_features_and_the_prediction() -> None:
    """Nobody is woken by what nobody asked for; tags are not watched."""
    for monitor in defaults(FARE):
        assert (monitor.severity, monitor.warn, monitor.critical, monitor.segments) == (Severity.REPORT, None, None, ("all",))
        watched = (
            ("trip_distance", "@prediction")
            if monitor.measure == "drift.tail_share"
            else ("trip_distance", "borough", "rush_hour", "@prediction")
        )
        assert (() if monitor.measure.startswith("performance") else watched) == monitor.columns
        assert (Reference() if monitor.measure.startswith("drift") else None) == monitor.baseline


def test_with_a_reference_they_alarm_on_effect_and_evidence() -> None:
    """Drift, nulls and tails, in the usual window, half of whose rows must be there (200, if it has no times); the other measures only report."""
    untimed = defaults(msgspec.structs.replace(FARE, usual=UsualWindow(length=DAY, rows=0)))
    assert {(monitor.window, monitor.min_samples) for monitor in untimed if monitor.gate is Gate.EVIDENCE} == {(Tumbling(DAY), 200)}
    timed = msgspec.structs.replace(FARE, usual=UsualWindow(length=6 * HOUR, rows=1_237))
    found = {monitor.measure: monitor for monitor in defaults(timed)}
    alarms = {measure: monitor for measure, monitor in found.items() if monitor.severity is Severity.TICKET}
    assert {measure: (monitor.compare, monitor.warn, monitor.critical) for measure, monitor in alarms.items()} == {
        "quality.null_rate": (Compare.RISE, 0.01, None),
        "drift.psi": (Compare.EXCESS, 0.1, 0.25),
        "drift.tail_share": (Compare.RISE, 0.01, None),
    }
    for monitor in alarms.values():
        assert (monitor.gate, monitor.window, monitor.min_samples) == (Gate.EVIDENCE, Tumbling(6 * HOUR), 619)
        assert monitor.baseline == Reference()
    assert {measure: found[measure] for measure in found if measure not in alarms} == {
        monitor.measure: monitor for monitor in defaults(FARE) if monitor.measure not in alarms
    }


def test_a_measure_of_numbers_watches_no_categories() -> None:
    """There is no monitor that could never have a value."""
    categorical = msgspec.structs.replace(DELAY, features=FARE.features[1:])
    assert "default-drift.tail_share" not in [monitor.name for monitor in defaults(categorical)]


def test_they_are_definitions_that_people_could_have_written() -> None:
    """The grammar takes them and gives them back."""
    every = [*defaults(FARE), *defaults(msgspec.structs.replace(DELAY, usual=UsualWindow(length=DAY, rows=2_000)))]
    assert tuple(every) == parse(yaml.safe_dump([documents(monitor) for monitor in every]), contract=CONTRACTS.get).monitors
