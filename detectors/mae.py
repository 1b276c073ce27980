"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from core.block import Floats


def mae(n: Floats, absolute_sum: Floats) -> Floats:
    """absolute_sum / n, in units of the target; any shape, NaN where n is 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(absolute_sum / n)
