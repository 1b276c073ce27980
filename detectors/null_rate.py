"""Null rate."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Column


def null_rate(target: Floats, column: Column) -> Floats:
    """The share of all rows whose value is missing or null; target: counts (..., bins), returns (...), NaN where there is no row."""
    with np.errstate(invalid="ignore"):
        return np.asarray(target[..., column.null] / target.sum(-1))
