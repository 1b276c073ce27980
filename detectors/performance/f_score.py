"""F scores: the weighted harmonic mean of precision and recall, of one class or as an average over classes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Confusion
from detectors.performance.average import Average, counts, rate, settled
from detectors.performance.threshold import thresholded
from detectors.spec import Result, Spec


class Beta(Average, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params of F beta: recall weighs `beta` times as much as precision."""

    beta: Annotated[float, msgspec.Meta(gt=0, le=1000)] = msgspec.field(
        default_factory=lambda: 1.0
    )  # a factory, so that it is written where it is the default


def f_score(target: Confusion, params: Average, beta: float = 1.0) -> Floats:
    """(1 + beta^2) tp / ((1 + beta^2) tp + beta^2 fn + fp) of a class, or an average over classes: (...), NaN for 0/0. Source: van Rijsbergen 1979."""
    return rate((1 + beta**2) * target.right, beta**2 * target.labelled + target.predicted, target, params)


def _f1(target: Confusion, _baseline: Confusion | None, params: Average) -> Result:
    return Result(f_score(target, params), evidence=counts(target, params))


def _fbeta(target: Confusion, _baseline: Confusion | None, params: Beta) -> Result:
    return Result(f_score(target, params, params.beta), evidence=counts(target, params))


def _about(name: str, title: str, formula: str, *, usual: bool) -> Measure:
    return Measure(
        name=name,
        title=title,
        formula=formula,
        unit="share",
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
        usual=usual,
    )


_NO_VALUE = "the class is neither predicted nor a label"

F1: Spec[Confusion, Average] = thresholded(
    Spec(
        about=_about("performance.f1", "F1", "2 tp / (2 tp + fp + fn)", usual=True),
        evidence=Confusion,
        compute=_f1,
        no_value=_NO_VALUE,
        params=Average,
        settle=settled,
    )
)
FBETA: Spec[Confusion, Beta] = thresholded(
    Spec(
        about=_about("performance.fbeta", "F beta", "(1 + beta^2) tp / ((1 + beta^2) tp + beta^2 fn + fp)", usual=False),
        evidence=Confusion,
        compute=_fbeta,
        no_value=_NO_VALUE,
        params=Beta,
        settle=settled,
    )
)
