"""F1 score."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.spec import NoParams, Result, Spec


def f1(right: Floats, predicted: Floats, labelled: Floats, positive: int | None) -> Floats:
    """2 tp / (2 tp + fp + fn) of the positive class, or its plain mean over the classes that are among the labels or predictions.

    Right, predicted and labelled rows by class: (..., K); `positive` is the index of the positive class, None for the mean. Returns (...), NaN for 0/0. In the
    mean no class can be 0/0, since a class that is neither predicted nor labelled is left out.
    """
    twice = 2 * right
    below = predicted + labelled  # (tp + fp) + (tp + fn)
    with np.errstate(invalid="ignore"):
        each = twice / below
        if positive is not None:
            return np.asarray(each[..., positive])
        return np.asarray(np.where(below > 0, each, 0.0).sum(-1) / (below > 0).sum(-1))


SPEC: Spec[Confusion, NoParams] = Spec(
    about=Measure(
        name="performance.f1",
        title="F1",
        formula="2 tp / (2 tp + fp + fn)",
        unit="share",
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
        usual=True,
    ),
    evidence=Confusion,
    compute=lambda target, _baseline, _params: Result(f1(target.right, target.predicted, target.labelled, target.positive)),
    no_value="the positive class is neither predicted nor a label",
)
