"""The rates of a confusion table: precision, recall, specificity and the rates of both kinds of error, of one class or as an average over classes."""

from __future__ import annotations

from collections.abc import Callable

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.performance.average import Average, settled, share
from detectors.performance.threshold import thresholded
from detectors.spec import Spec

Parts = Callable[[Confusion], tuple[Floats, Floats]]
"""Gives by class the rows that are counted, and the rows among which they are: (..., K) each."""


def _spec(name: str, title: str, formula: str, parts: Parts, no_value: str, *, better: int = 1) -> Spec[Confusion, Average]:
    about = Measure(
        name=f"performance.{name}",
        title=title,
        formula=formula,
        unit="share",
        judged=Judged.WORSE,
        better=better,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
    )
    found = Spec(
        about=about,
        evidence=Confusion,
        compute=lambda target, _baseline, params: share(*parts(target), target, params),
        no_value=no_value,
        params=Average,
        settle=settled,
    )
    return thresholded(found)


_NO_LABEL, _NO_OTHER = "the class is no row's label", "the class is every row's label"

PRECISION = _spec(
    "precision",
    "Precision",
    "tp / (tp + fp)",
    lambda target: (target.right, target.predicted),
    "the class was not predicted for any labelled row",
)
RECALL = _spec("recall", "Recall", "tp / (tp + fn)", lambda target: (target.right, target.labelled), _NO_LABEL)
SPECIFICITY = _spec("specificity", "Specificity", "tn / (tn + fp)", lambda target: (target.rejected, target.others), _NO_OTHER)
FPR = _spec("fpr", "False positive rate", "fp / (fp + tn)", lambda target: (target.wrongly, target.others), _NO_OTHER, better=-1)
FNR = _spec("fnr", "False negative rate", "fn / (fn + tp)", lambda target: (target.missed, target.labelled), _NO_LABEL, better=-1)
SPECS = (PRECISION, RECALL, SPECIFICITY, FPR, FNR)
