"""The largest absolute error of a window. Panes are made again whole, so that a corrected label takes its error with it."""

from __future__ import annotations

import numpy as np

from detectors.evidence import Losses
from detectors.performance.losses import of_losses, regression
from detectors.spec import NoParams, Result, Spec

_SINCE = "symmetric"  # a loss that panes have since they have the largest error


def _compute(target: Losses, _baseline: Losses | None, _params: NoParams) -> Result:
    value = np.broadcast_to(target.largest, np.shape(target.n))
    return of_losses(np.where(target.n > 0, value, np.nan), target.n, target.of["absolute"], target.of[_SINCE])


SPEC: Spec[Losses, NoParams] = Spec(
    about=regression("max_error", "Largest error", "max |prediction - label|"),
    evidence=Losses,
    compute=_compute,
    no_value="no labelled rows",
)
