"""Bounds of a difference that hold at all times together, so that one may look as often as one likes and stop at any time.

The normal mixture of Robbins (1970), with the variance estimated: an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
Annals of Statistics 52, 2024).
"""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from core.block import Floats

POWER = 0.95  # with which a difference is told at the announced sample size
_CHANCE = float(ndtri(POWER))


class Tuning(NamedTuple):
    """Where a sequence is narrowest: `width` is the standard deviation of its mixture, `target` the variance of the estimate at which a difference is told with `POWER`."""

    width: Floats
    target: Floats


def radius(variance: Floats, width: Floats, alpha: float) -> Floats:
    """How far an estimate of this variance is from the truth at most, at all times together with probability 1 - alpha: (...).

    sqrt(V (V + w^2) / w^2 (2 ln(1 / alpha) + ln((V + w^2) / V))), in the unit of the estimate; 0 where the variance is 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = variance / width**2
        found = np.sqrt(variance * (1 + share) * (2 * log(1 / alpha) + np.log1p(1 / share)))
    return np.asarray(np.where(variance == 0, 0.0, found))


def tuned(detect: Floats, alpha: float) -> Tuning:
    """The sequence that tells a difference of `detect` with `POWER` from as few rows as it can."""
    reach, ratio = _reach(alpha)
    target = (np.asarray(detect) / (reach + _CHANCE)) ** 2
    return Tuning(np.sqrt(ratio * target), target)


def told(target: Floats, alpha: float) -> Floats:
    """The difference that is told with `POWER` when the variance of the estimate is `target`: what `tuned` takes."""
    return np.asarray((_reach(alpha)[0] + _CHANCE) * np.sqrt(target))


def _reach(alpha: float) -> tuple[float, float]:
    """The radius in standard deviations where the sequence is narrowest, and the mixture's variance over the estimate's there."""
    level = 2 * log(1 / alpha)
    ratio = level + log(level) + 1
    return sqrt((1 + 1 / ratio) * (level + log(1 + ratio))), ratio
