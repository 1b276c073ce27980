"""Precision."""

from __future__ import annotations

from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.performance.average import Average, rate, settled
from detectors.spec import Result, Spec


def precision(target: Confusion, _baseline: Confusion | None, params: Average) -> Result:
    """Tp / (tp + fp) of one class, or its average over classes; (...), NaN where the class was not predicted."""
    return Result(rate(target.right, target.predicted, target, params))


SPEC = Spec(
    about=Measure(
        name="performance.precision",
        title="Precision",
        formula="tp / (tp + fp)",
        unit="share",
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
    ),
    evidence=Confusion,
    compute=precision,
    no_value="the class was not predicted for any labelled row",
    params=Average,
    settle=settled,
)
