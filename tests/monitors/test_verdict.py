"""Verdicts follow the order: no data, too few, no value, thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.baseline.previous import Previous
from core.baseline.reference import Reference
from core.moment import DAY, HOUR
from core.monitor import Compare, Gate, Monitor
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES
from monitors.evaluation.frame import NONE, VERDICTS
from monitors.evaluation.verdict import Judgement, alpha, judge


def verdict(
    monitor: Monitor,
    value: float,
    base: float = np.nan,
    n: int = 500,
    n_base: int = NONE,
    excess: float = np.nan,
    p: float = np.nan,
    columns: int = 1,
    **calibration: Any,
) -> tuple[str, Any]:
    found, base_, excess_, p_ = (np.array([one]) for one in (value, base, excess, p))
    given, counts = Judgement(found, base_, excess_, p_, columns, **calibration), (np.array([n]), np.array([n_base]))
    codes, reasons = judge(monitor, MEASURES[monitor.measure], given, *counts, "why", "no predictions")
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


def test_a_window_without_labels_is_no_data_and_one_with_few_immature() -> None:
    """Whatever coverage the monitor asks for."""
    monitor = Monitor(name="w", model="m", measure="performance.mae", min_label_coverage=0.5)
    assert verdict(monitor, np.nan, n=0, coverage=np.zeros(1)) == ("nodata", "no predictions")
    assert verdict(monitor, 1.0, n=37, coverage=np.array([0.1])) == ("immature", "labels of 0.100 of predictions have come (< 0.5)")


def test_performance_is_compared_by_how_much_worse_it_is() -> None:
    """Accuracy that falls and an RMSE that rises are worse; the other way is better."""
    accuracy = Monitor(name="w", model="m", measure="performance.accuracy", baseline=Reference(), warn=0.05)
    assert verdict(accuracy, 0.80, 0.85, n_base=500)[0] == "warn"
    assert verdict(accuracy, 0.90, 0.85, n_base=500)[0] == "ok"
    rmse = Monitor(name="w", model="m", measure="performance.rmse", baseline=Previous(), warn=0.1)
    assert verdict(rmse, 1.1, 1.0, n_base=500)[0] == "warn"
    assert verdict(rmse, 1.0, 1.1, n_base=500)[0] == "ok"
    assert verdict(rmse, 1.0, np.nan, n_base=500) == ("not_estimable", "baseline: why")


def test_a_baseline_of_too_few_rows_to_compare_is_insufficient() -> None:
    """As the window would be, and the reason is the baseline's own."""
    gap = Monitor(name="w", model="m", measure="fairness.fpr_parity", baseline=Previous(), warn=0.1)
    why, few = np.array(["no two groups"], object), np.array([True])
    assert verdict(gap, 0.2, np.nan, n_base=500, baseline_why=why, baseline_few=few) == ("insufficient", "baseline: no two groups")
    assert verdict(gap, 0.2, np.nan, n_base=500, baseline_why=why) == ("not_estimable", "baseline: no two groups")
    assert verdict(gap, np.nan, 0.2, n_base=500, few=few, baseline_why=why) == ("insufficient", "why")


def test_objects_compare_the_value_itself() -> None:
    """`below` and `above` need no baseline."""
    below = Monitor(name="w", model="m", measure="performance.accuracy", warn={"below": 0.8}, critical={"below": 0.7})
    assert [verdict(below, value)[0] for value in (0.81, 0.8, 0.7)] == ["ok", "warn", "critical"]
    above = Monitor(name="w", model="m", measure="performance.mae", warn={"above": 12})
    assert [verdict(above, value)[0] for value in (11.9, 12.0)] == ["ok", "warn"]


def test_what_is_compared_may_be_the_excess_or_the_rise() -> None:
    """The value itself is then beside the point; where the baseline has none there is no rise."""
    excess = psi(compare=Compare.EXCESS)
    assert verdict(excess, 0.4, n_base=500, excess=0.09)[0] == "ok"
    assert verdict(excess, 0.4, n_base=500, excess=0.1)[0] == "warn"
    rise = Monitor(name="w", model="m", measure="quality.null_rate", baseline=Reference(), warn=0.01, compare=Compare.RISE)
    assert verdict(rise, 0.209, 0.2, n_base=500)[0] == "ok"
    assert verdict(rise, 0.21, 0.2, n_base=500)[0] == "warn"
    assert verdict(rise, 0.1, np.nan, n_base=500) == ("not_estimable", "baseline: why")


def test_a_gate_lets_no_breach_pass_without_evidence() -> None:
    """P must be below alpha, which is smaller the more columns are watched and the shorter the windows are. No p is no evidence."""
    gated = psi(gate=Gate.EVIDENCE)
    assert alpha(DAY, 1) == 1 / 30 / 3
    assert alpha(30 * DAY, 2) == 0.05 / 6
    assert verdict(gated, 9.0, n_base=500, p=0.012)[0] == "ok"
    assert verdict(gated, 9.0, n_base=500, p=0.011)[0] == "critical"
    assert verdict(gated, 0.1, n_base=500, p=0.011)[0] == "warn"
    assert verdict(gated, 9.0, n_base=500, p=0.011, columns=2)[0] == "ok"
    assert verdict(psi(gate=Gate.EVIDENCE, window=Tumbling(HOUR)), 9.0, n_base=500, p=0.011)[0] == "ok"
    assert verdict(gated, 9.0, n_base=500)[0] == "ok"
    assert verdict(gated, 0.09, n_base=500, p=1e-9)[0] == "ok"


def test_there_is_no_evidence_before_a_window_tells_what_chance_does() -> None:
    """Neither a gate nor a budget alarms then."""
    for monitor, allowed in ((psi(gate=Gate.EVIDENCE), None), (psi(), 0.01)):
        told = verdict(monitor, 9.0, n_base=500, p=1e-9, allowed=allowed, uncalibrated=True)
        assert told == ("insufficient", "no window tells yet how much windows differ by chance: 14 must have closed")
        assert verdict(monitor, 9.0, n_base=500, p=1e-9, allowed=allowed)[0] == "critical"
