"""R2: the share of the variance of labels that predictions explain."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from detectors.evidence import Losses, LossSums
from detectors.performance.losses import of_losses, regression
from detectors.spec import NoParams, Result, Spec

_ROUNDING = 4.4e-13  # of a term of a sum of squares, where three digits of what is left are wanted
_CONSTANT = "labels are constant, or vary too little about their mean for their distance from the reference's"


def r2(square: LossSums, label: LossSums) -> Floats:
    """1 - sum (prediction - label)^2 / sum (label - mean)^2: (...), NaN where labels do not vary. `label` sums the labels less a fixed number, which keeps squares small.

    A sum of n squares is wrong by about sqrt(n) roundings. Where labels are so far from the fixed number that less than three digits of their variance would be left, there is no value.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        around = label.total * (label.total / label.count)
        varied = label.square - around
        kept = varied > _ROUNDING * np.sqrt(label.count) * label.square
        return np.asarray(np.where(kept, 1 - square.total / varied, np.nan))


def _compute(target: Losses, _baseline: Losses | None, _params: NoParams) -> Result:
    square, label = target.of["square"], target.of["label"]
    value = r2(square, label)
    constant = np.isnan(value) & np.isfinite(label.square) & np.isfinite(square.total)
    return of_losses(value, target.n, square, label, more=((constant, _CONSTANT),))


SPEC: Spec[Losses, NoParams] = Spec(
    about=regression("r2", "R2", "1 - sum (prediction - label)^2 / sum (label - mean)^2", unit="", better=1),
    evidence=Losses,
    compute=_compute,
    no_value=_CONSTANT,
)
