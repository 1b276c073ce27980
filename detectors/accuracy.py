"""Accuracy."""

from __future__ import annotations

import numpy as np

from core.block import Floats


def accuracy(right: Floats, predicted: Floats) -> Floats:
    """The share of rows whose prediction is their label; right and predicted rows by class: (..., K), returns (...), NaN without rows."""
    with np.errstate(invalid="ignore"):
        return np.asarray(right.sum(-1) / predicted.sum(-1))
