"""A point of a grid of intervals: how often they hold the population's value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.block import Floats
from detectors.spec import Result

CONSERVATIVE = {
    *("drift.ks", "drift.total_variation", "drift.linf", "uncertainty.pit_uniformity"),
    *("fairness.demographic_parity_difference", "fairness.demographic_parity_ratio", "fairness.error_gap"),
}


class Cell(NamedTuple):
    """One point of a grid: what is covered, where, how often, and whether it is one for which the least coverage counts."""

    kind: str
    where: str
    coverage: float
    counts: bool = True


def bounds(result: Result) -> tuple[Floats, Floats]:
    """The interval of independent rows; nothing is in it where there is none."""
    nothing = np.full(result.value.shape, np.nan)
    return (nothing, nothing) if result.interval is None else result.interval(np.ones(1))


def covered(bounds: tuple[Floats, Floats], truth: float) -> float:
    """The share of intervals that hold the truth."""
    lower, upper = bounds
    return float(((lower <= truth + 1e-12) & (truth - 1e-12 <= upper)).mean())
