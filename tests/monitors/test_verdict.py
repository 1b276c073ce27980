"""Verdicts follow the order: no data, too few, no value, thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.baseline.previous import Previous
from core.baseline.reference import Reference
from core.monitor import Monitor
from detectors.catalogue import MEASURES
from monitors.evaluation.frame import NONE, VERDICTS
from monitors.evaluation.verdict import judge


def verdict(monitor: Monitor, value: float, base: float = np.nan, n: int = 500, n_base: int = NONE) -> tuple[str, Any]:
    values, counts = (np.array([value]), np.array([base])), (np.array([n]), np.array([n_base]))
    codes, reasons = judge(monitor, MEASURES[monitor.measure], *values, *counts, "why", "no predictions")
    return str(VERDICTS[codes[0]]), reasons[0]


def psi(**changes: Any) -> Monitor:
    return Monitor(name="w", model="m", measure="drift.psi", baseline=Reference(), warn=0.1, critical=0.25, **changes)


@pytest.mark.parametrize(("value", "expected"), [(0.09, "ok"), (0.1, "warn"), (0.1 - 1e-14, "warn"), (0.25, "critical"), (9.0, "critical")])
def test_a_threshold_is_reached_at_equality(value: float, expected: str) -> None:
    """Both sides are rounded to 12 decimals."""
    assert verdict(psi(), value, n_base=500)[0] == expected


def test_no_data_comes_before_too_few() -> None:
    """An empty window is no data, a small one insufficient with the count."""
    assert verdict(psi(), np.nan, n=0, n_base=500) == ("nodata", "no predictions")
    assert verdict(psi(), 9.0, n=37, n_base=500) == ("insufficient", "too few target samples (37 < 200)")
    assert verdict(psi(), 9.0, n_base=3) == ("insufficient", "too few baseline samples (3 < 200)")
    assert verdict(psi(min_samples=0), np.nan, n_base=0)[0] == "insufficient"
    assert verdict(psi(), np.nan, n_base=500) == ("not_estimable", "why")


def test_performance_is_compared_by_how_much_worse_it_is() -> None:
    """Accuracy that falls and an RMSE that rises are worse; the other way is better."""
    accuracy = Monitor(name="w", model="m", measure="performance.accuracy", baseline=Reference(), warn=0.05)
    assert verdict(accuracy, 0.80, 0.85, n_base=500)[0] == "warn"
    assert verdict(accuracy, 0.90, 0.85, n_base=500)[0] == "ok"
    rmse = Monitor(name="w", model="m", measure="performance.rmse", baseline=Previous(), warn=0.1)
    assert verdict(rmse, 1.1, 1.0, n_base=500)[0] == "warn"
    assert verdict(rmse, 1.0, 1.1, n_base=500)[0] == "ok"
    assert verdict(rmse, 1.0, np.nan, n_base=500) == ("not_estimable", "baseline: why")


def test_objects_compare_the_value_itself() -> None:
    """`below` and `above` need no baseline."""
    below = Monitor(name="w", model="m", measure="performance.accuracy", warn={"below": 0.8}, critical={"below": 0.7})
    assert [verdict(below, value)[0] for value in (0.81, 0.8, 0.7)] == ["ok", "warn", "critical"]
    above = Monitor(name="w", model="m", measure="performance.mae", warn={"above": 12})
    assert [verdict(above, value)[0] for value in (11.9, 12.0)] == ["ok", "warn"]
