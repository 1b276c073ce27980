"""How far predictions and labels agree beyond chance: balanced accuracy, Matthews' correlation, and Cohen's kappa; of all classes together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.performance.average import Average, counts
from detectors.performance.threshold import Threshold, thresholded
from detectors.spec import Result, Spec


def balanced_accuracy(target: Confusion) -> Floats:
    """The mean recall of the classes that have labels: (...), NaN without labels."""
    there = target.labelled > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(there, target.right / target.labelled, 0.0).sum(-1) / there.sum(-1))


def mcc(target: Confusion) -> Floats:
    """(c s - p . t) / sqrt((s^2 - p . p) (s^2 - t . t)), of s rows of which c are right, p predicted and t labelled by class: (...).

    NaN where all predictions or all labels are one class. Source: Gorodkin 2004.
    """
    right, rows, both = _sums(target)
    alone = [rows**2 - (side**2).sum(-1) for side in (target.predicted, target.labelled)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((right * rows - both) / (np.sqrt(alone[0]) * np.sqrt(alone[1])))


def kappa(target: Confusion) -> Floats:
    """(right - expected) / (1 - expected), the shares of rows that are right and that would be if predictions and labels were independent: (...).

    NaN where both are always the same class. Source: Cohen 1960.
    """
    right, rows, both = _sums(target)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((right * rows - both) / (rows**2 - both))


def _sums(target: Confusion) -> tuple[Floats, Floats, Floats]:
    """Right rows, all rows, and the sum over classes of predicted times labelled rows."""
    return target.right.sum(-1), target.labelled.sum(-1), (target.predicted * target.labelled).sum(-1)


def _spec(
    name: str, title: str, formula: str, unit: str, measure: Callable[[Confusion], Floats], no_value: str
) -> Spec[Confusion, Threshold]:
    found = Spec(
        about=Measure(
            name=f"performance.{name}",
            title=title,
            formula=formula,
            unit=unit,
            judged=Judged.WORSE,
            better=1,
            tasks=(Task.BINARY, Task.MULTICLASS),
            requires=(Need.LABELS,),
        ),
        evidence=Confusion,
        compute=lambda target, _baseline, _params: Result(measure(target), evidence=counts(target, Average())),
        no_value=no_value,
        params=Threshold,
    )
    return thresholded(found)


SPECS = (
    _spec("balanced_accuracy", "Balanced accuracy", "mean recall of the classes that have labels", "share", balanced_accuracy, "no labels"),
    _spec(
        "mcc",
        "Matthews correlation",
        "(right n - sum predicted labelled) / sqrt((n^2 - sum predicted^2) (n^2 - sum labelled^2))",
        "",
        mcc,
        "all predictions, or all labels, are one class",
    ),
    _spec(
        "kappa",
        "Cohen's kappa",
        "(right - expected) / (1 - expected)",
        "",
        kappa,
        "all predictions and all labels are one class",
    ),
)
