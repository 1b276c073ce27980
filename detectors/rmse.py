"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from core.block import Floats


def rmse(n: Floats, square_sum: Floats) -> Floats:
    """sqrt(square_sum / n), in units of the target; any shape, NaN where n is 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(square_sum / n)
