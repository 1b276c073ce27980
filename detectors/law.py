"""Statistics whose law is known where rows are independent and nothing moved."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from detectors.spec import Law


def chi_square(statistic: Floats, degrees: Floats) -> Law:
    """The law of a statistic that is chi-square then; none without a degree of freedom."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return Law(np.where(degrees > 0, statistic / degrees, np.nan), np.where(degrees > 0, degrees, np.nan))


def proportions(count: Floats, n: Floats, other: Floats, m: Floats) -> Law:
    """Z squared of the rates of two sides, with the pooled variance; 0 where both rates are 0 or both 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (count + other) / (n + m)
        variance = pooled * (1 - pooled) * (1 / n + 1 / m)
        apart = (count / n - other / m) ** 2
        return chi_square(np.where((variance == 0) & (apart == 0), 0.0, apart / variance), np.ones_like(variance))
