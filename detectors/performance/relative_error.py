"""Errors of a regression relative to its target: mean absolute percentage error, its symmetric form, and the weighted one."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from detectors.evidence import Losses, LossSums
from detectors.performance.losses import mean_loss, of_losses, regression
from detectors.spec import NoParams, Result, Spec

_ZERO = "all labels are 0"

MAPE = mean_loss(
    regression(
        "mape", "Mean absolute percentage error", "mean |prediction - label| / |label| over labels that are not 0", brief="MAPE", unit=""
    ),
    "relative",
    none=_ZERO,
)
SMAPE = mean_loss(
    regression("smape", "Symmetric MAPE", "mean 2 |prediction - label| / (|prediction| + |label|)", brief="sMAPE", unit=""), "symmetric"
)


def wape(absolute: LossSums, sizes: LossSums) -> Floats:
    """Sum |prediction - label| / sum |label|: (...), NaN where all labels are 0, and where they are too large for a sum; infinite where they are too small for a quotient."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.asarray(np.where((sizes.total > 0) & np.isfinite(sizes.total), absolute.total / sizes.total, np.nan))


def _wape(target: Losses, _baseline: Losses | None, _params: NoParams) -> Result:
    absolute, sizes = target.of["absolute"], target.of["label_size"]
    return of_losses(wape(absolute, sizes), target.n, absolute, sizes, more=((np.asarray(sizes.total == 0), _ZERO),))


WAPE: Spec[Losses, NoParams] = Spec(
    about=regression("wape", "Weighted APE", "sum |prediction - label| / sum |label|", brief="WAPE", unit=""),
    evidence=Losses,
    compute=_wape,
    no_value=_ZERO,
)
SPECS = (MAPE, SMAPE, WAPE)
