"""Accuracy."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.interval import wilson
from detectors.performance.average import Average, counts
from detectors.performance.threshold import Threshold, thresholded
from detectors.spec import Result, Spec


def accuracy(right: Floats, predicted: Floats) -> Floats:
    """The share of rows whose prediction is their label; right and predicted rows by class: (..., K), returns (...), NaN without rows."""
    with np.errstate(invalid="ignore"):
        return np.asarray(right.sum(-1) / predicted.sum(-1))


def _compute(target: Confusion, _baseline: Confusion | None, _params: Threshold) -> Result:
    value = accuracy(target.right, target.predicted)
    return Result(value, interval=lambda phi: wilson(value, target.n / phi), evidence=counts(target, Average()))


SPEC: Spec[Confusion, Threshold] = thresholded(
    Spec(
        about=Measure(
            name="performance.accuracy",
            title="Accuracy",
            formula="right / n",
            unit="share",
            judged=Judged.WORSE,
            better=1,
            tasks=(Task.BINARY, Task.MULTICLASS),
            requires=(Need.LABELS,),
            usual=True,
        ),
        evidence=Confusion,
        compute=_compute,
        no_value="no labelled rows",
        params=Threshold,
    )
)
