"""The monitors of a model that has only a reference."""

from __future__ import annotations

import msgspec
import yaml

from core.baseline.reference import Reference
from core.contract import Task
from core.monitor import Severity
from monitors.definition.default import defaults
from monitors.definition.grammar import parse
from tests.monitors.contracts import CONTRACTS, DELAY, FARE
from tests.monitors.test_grammar import documents


def test_every_usual_measure_that_fits_is_watched() -> None:
    """Errors for a regression; classes, and AUC where there are scores, for a binary model."""
    both = ["default-quality.null_rate", "default-drift.psi", "default-drift.js"]
    unscored = msgspec.structs.replace(DELAY, scored=False)
    assert [*both, "default-performance.mae", "default-performance.rmse"] == [monitor.name for monitor in defaults(FARE)]
    assert [*both, "default-performance.accuracy", "default-performance.f1"] == [monitor.name for monitor in defaults(unscored)]
    assert [*both, "default-performance.accuracy", "default-performance.f1", "default-performance.roc_auc"] == [
        monitor.name for monitor in defaults(DELAY)
    ]
    assert "default-performance.roc_auc" in [monitor.name for monitor in defaults(msgspec.structs.replace(DELAY, task=Task.MULTICLASS))]


def test_they_report_without_thresholds_on_all_and_watch_features_and_the_prediction() -> None:
    """Nobody is woken by what nobody asked for; tags are not watched."""
    for monitor in defaults(FARE):
        assert (monitor.severity, monitor.warn, monitor.critical, monitor.segments) == (Severity.REPORT, None, None, ("all",))
        wanted = () if monitor.measure.startswith("performance") else ("trip_distance", "borough", "rush_hour", "@prediction")
        assert wanted == monitor.columns
        assert (Reference() if monitor.measure.startswith("drift") else None) == monitor.baseline


def test_they_are_definitions_that_people_could_have_written() -> None:
    """The grammar takes them and gives them back."""
    every = [*defaults(FARE), *defaults(DELAY)]
    assert tuple(every) == parse(yaml.safe_dump([documents(monitor) for monitor in every]), contract=CONTRACTS.get).monitors
