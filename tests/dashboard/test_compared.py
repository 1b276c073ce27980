"""What is compared with thresholds, as pages draw and say it: excess, rise, effective samples and p-values."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from core import moment
from core.baseline.reference import Reference
from core.monitor import Budget, Compare, Gate, Monitor
from dashboard.pages.episode import _thresholds as thresholds
from dashboard.series import Series, limits
from dashboard.view_model import of
from detectors.catalogue import MEASURES


def series(**columns: list[object]) -> Series:
    """Two days; the second has no reading that could be judged."""
    usual: dict[str, list[object]] = {
        "window_start": [0, moment.DAY],
        "window_end": [moment.DAY, 2 * moment.DAY],
        "value": [0.31, None],
        "lower": [None, None],
        "upper": [None, None],
        "baseline_value": [0.02, None],
        "n_target": [1_156, 0],
        "n_baseline": [50_000, 50_000],
        "n_effective": [1_012.4, None],
        "verdict": ["critical", "nodata"],
        "reason": [None, "no predictions"],
        "threshold": ['{"warn": 0.1}'] * 2,
        "evidence": [json.dumps({"p": 0.00002, "excess": 0.25}), "{}"],
    }
    return Series.of(pa.table(usual | columns), 0, 2 * moment.DAY, moment.DAY)


def monitor(measure: str, compare: Compare) -> Monitor:
    return Monitor(name="w", model="m", measure=measure, baseline=Reference(), warn=0.1, compare=compare, gate=Gate.EVIDENCE)


def test_a_threshold_of_the_excess_or_the_rise_is_drawn_where_the_value_reaches_it() -> None:
    """Value less excess is what chance explains; the threshold lies so much above it. A rise begins at the baseline's value."""
    (excess,) = limits(monitor("drift.psi", Compare.EXCESS), MEASURES["drift.psi"], series())
    assert (excess.label, excess.y) == ("warn excess from 0.1", [pytest.approx(0.31 - 0.25 + 0.1), None])
    (rise,) = limits(monitor("quality.null_rate", Compare.RISE), MEASURES["quality.null_rate"], series())
    assert (rise.label, rise.y) == ("warn rise from 0.1", [pytest.approx(0.02 + 0.1), None])


def test_a_number_is_said_with_what_its_rows_are_worth_and_with_p() -> None:
    """Where neither is known, neither is said."""
    watched = monitor("drift.psi", Compare.EXCESS)
    said = of(series(), 0, watched)
    assert said == "n 1,156, worth 1,012 independent rows, 1970-01-01, against the reference, 50,000 rows; p below 0.0001"
    bare = series(n_effective=[None, None], evidence=["{}", "{}"])
    assert of(bare, 0, watched) == "n 1,156, 1970-01-01, against the reference, 50,000 rows"


def test_an_episode_says_what_its_monitor_compares() -> None:
    """The words of the rule on the episode's page."""
    assert thresholds(monitor("drift.psi", Compare.EXCESS)) == {
        "Warn": "from 0.1",
        "Critical": "no threshold",
        "Compared": "excess over chance",
        "Gate": "p must be evidence, too",
    }
    assert Budget(2, 30 * moment.DAY).text == "2 per 30d"
