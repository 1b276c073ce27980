"""The monitors of the files in `definitions/good`, by the name of the file."""

from __future__ import annotations

from core import moment
from core.baseline.previous import Previous
from core.baseline.reference import Reference
from core.contract import PREDICTION
from core.monitor import Budget, Compare, Gate, Monitor, Severity
from core.window.sliding import Sliding
from core.window.tumbling import Tumbling

DAY = moment.DAY

GOOD: dict[str, list[Monitor]] = {
    "nothing_at_all": [],
    "defaults": [Monitor(name="nulls", model="taxi-fare", measure="quality.null_rate")],
    "as_the_api_shows_it": [
        Monitor(
            name="accuracy",
            model="delay",
            measure="performance.accuracy",
            window=Tumbling(7 * DAY),
            critical={"below": 0.5},
            severity=Severity.REPORT,
        )
    ],
    "drift_is_against_the_reference": [
        Monitor(
            name="js",
            model="taxi-fare",
            measure="drift.js",
            segments=("all", "borough"),
            window=Tumbling(2 * moment.HOUR),
            baseline=Reference(),
            persist=(1, 4),
        )
    ],
    "sliding_windows": [
        Monitor(name="hourly", model="taxi-fare", measure="drift.psi", window=Sliding(DAY, 2 * moment.HOUR), baseline=Reference())
    ],
    "thresholds_on_either_side": [
        Monitor(name="error", model="taxi-fare", measure="performance.mae", warn={"above": 12}, critical={"above": 20.5}),
        Monitor(name="worse", model="taxi-fare", measure="performance.rmse", baseline=Reference(), warn=0.5, critical=0.5),
        Monitor(name="worse", model="delay", measure="performance.accuracy", warn={"below": 0.8}, critical={"below": 0.7}),
    ],
    "a_budget": [
        Monitor(
            name="drift",
            model="taxi-fare",
            measure="drift.psi",
            baseline=Reference(),
            budget=Budget(2, 90 * DAY),
            persist=(2, 3),
        )
    ],
    "effect_and_evidence": [
        Monitor(
            name="drift",
            model="taxi-fare",
            measure="drift.psi",
            baseline=Reference(),
            warn=0.1,
            compare=Compare.EXCESS,
            gate=Gate.EVIDENCE,
        ),
        Monitor(
            name="nulls",
            model="taxi-fare",
            measure="quality.null_rate",
            baseline=Previous(),
            critical=0.01,
            compare=Compare.RISE,
            gate=Gate.EVIDENCE,
        ),
    ],
    "whole_grammar_that_is_built": [
        Monitor(
            name="fare-drift",
            model="taxi-fare",
            measure="drift.psi",
            columns=("trip_distance", "borough", PREDICTION),
            segments=("all", "borough", "borough*rush_hour"),
            baseline=Previous(),
            version="3",
            warn=0.1,
            critical=0.25,
            min_samples=500,
            persist=(2, 3),
            severity=Severity.PAGE,
        )
    ],
    "several_documents_of_all_kinds": [
        Monitor(
            name="churn-drift",
            model="churn",
            measure="drift.psi",
            columns=("age", "@score"),
            segments=("all", "gender", "plan*remote"),
            window=Tumbling(45 * moment.MINUTE),
            baseline=Reference(),
        )
    ],
}
