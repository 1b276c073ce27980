"""The losses of rows whose mean a measure is made of: measures that have one are compared row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.block import Floats
from detectors.change.loss import wrong
from detectors.compare.sums import Form
from detectors.summary.loss import LOSSES, LossRows


class RowLoss(NamedTuple):
    """The loss of each row, NaN for a row that has none: (n,); and how the measure follows from its mean."""

    of: Callable[[LossRows], Floats]
    form: Form


def _ones(mean: Floats) -> Floats:
    return np.ones_like(mean)


def _half(mean: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(mean > 0, 0.5 / np.sqrt(mean), 0.0))


def _mean(loss: str) -> RowLoss:
    return RowLoss(LOSSES[loss].of, Form(lambda mean: mean, _ones, -1))


_OF: Mapping[str, RowLoss] = {
    "performance.accuracy": RowLoss(wrong, Form(lambda mean: 1 - mean, lambda mean: -_ones(mean), 1, 1.0)),
    "performance.mae": _mean("absolute"),
    "performance.mse": _mean("square"),
    "performance.rmse": RowLoss(LOSSES["square"].of, Form(np.sqrt, _half, -1)),
    "performance.mape": _mean("relative"),
    "performance.smape": _mean("symmetric"),
    "performance.log_loss": _mean("log"),
    "performance.brier": _mean("quadratic"),
}


def row_loss(measure: str, params: Mapping[str, Any]) -> RowLoss | None:
    """The loss of a measure; None where it is not made of a mean of losses that each row tells: its readings are compared then."""
    return None if params.get("weighted") or params.get("threshold") is not None else _OF.get(measure)
