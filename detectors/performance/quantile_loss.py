"""Quantile loss: the mean cost of predictions that are to be a quantile of the label."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from core.block import Floats
from detectors.evidence import Losses
from detectors.performance.losses import NO_ROWS, mean, of_losses, regression
from detectors.spec import Result, Spec


class QuantileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: which quantile predictions are to be, 0.5 being the median."""

    q: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5


def quantile_loss(error: Floats, absolute: Floats, q: float) -> Floats:
    """Q times the mean of what predictions are too low, plus 1 - q times that of what they are too high, of the mean error and the mean absolute one: (...).

    Source: Koenker and Bassett 1978.
    """
    return np.asarray((q * (absolute - error) + (1 - q) * (absolute + error)) / 2)


def _compute(target: Losses, _baseline: Losses | None, params: QuantileParams) -> Result:
    error, absolute = target.of["error"], target.of["absolute"]
    with np.errstate(invalid="ignore"):
        return of_losses(quantile_loss(mean(error), mean(absolute), params.q), target.n, error, absolute)


SPEC: Spec[Losses, QuantileParams] = Spec(
    about=regression(
        "quantile_loss", "Quantile loss", "mean of q (label - prediction) where it is above 0, else (1 - q) (prediction - label)"
    ),
    evidence=Losses,
    compute=_compute,
    no_value=NO_ROWS,
    params=QuantileParams,
)
