"""How far a group's share of positives is from its mean score by chance alone, where the scores are right."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import betainc, erf, gammaincc, ndtr

from core.block import Floats

_HALF = np.sqrt(2 / np.pi)  # the mean of |z| of a standard normal z
_ROUNDING = 1e-9
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(100)
_FAR = 14.0  # no |z| is larger


def inflated(gap: Floats, variance: Floats) -> Floats:
    """How much larger |gap| is on average than the true distance, which is estimated by the squares: max(0, gap^2 - variance): (...).

    The gap is taken as normal about the true one, so that its size is a folded normal (Leone, Nelson and Nottingham 1961). It is more by 0.8 standard deviations where there
    is no error, and by nothing where the error is large.
    """
    deviation = np.sqrt(variance)
    size = np.sqrt(np.maximum(gap**2 - variance, 0.0))
    far = np.minimum(size / np.where(deviation > 0, deviation, 1.0), _FAR)
    return np.asarray(deviation * (_HALF * np.exp(-(far**2) / 2) - 2 * far * ndtr(-far)))


def expected(weight: Floats, variance: Floats) -> Floats:
    """The mean of sum weight |gap| over groups where the scores are right: (...)."""
    return np.asarray(_HALF * (weight * np.sqrt(variance)).sum(-1))


def chance_of_mean(value: Floats, weight: Floats, variance: Floats) -> Floats:
    """The chance that sum weight |gap| is as large as a value where the scores are right: (...). The sum of half-normals is taken as the gamma of the same mean and variance."""
    mean, spread = expected(weight, variance), (1 - _HALF**2) * (weight**2 * variance).sum(-1)
    there = (mean > 0) & (spread > 0)
    safe = np.where(there, spread, 1.0)
    return np.where(there, gammaincc(np.where(there, mean**2 / safe, 1.0), np.where(there, value * mean / safe, 0.0)), value <= _ROUNDING)


def chance_of_largest(value: Floats, rows: Floats, score: Floats) -> Floats:
    """The chance that some group's |gap| is as large as a value where the scores are right: (...); rows and sums of scores are (..., groups).

    The positives of a group are taken as binomial with its mean score, which is never less spread than they are (Hoeffding 1956).
    """
    n, share = np.round(rows), np.clip(score / np.maximum(rows, 1), 0.0, 1.0)
    apart = value[..., None] * rows
    low, high = np.floor(score - apart + _ROUNDING), np.ceil(score + apart - _ROUNDING)
    under = np.where(low >= 0, np.where(low < n, betainc(np.maximum(n - low, 1), np.maximum(low + 1, 1), 1 - share), 1.0), 0.0)
    over = np.where(high <= n, np.where(high >= 1, betainc(np.maximum(high, 1), np.maximum(n - high + 1, 1), share), 1.0), 0.0)
    return np.asarray(1 - np.where(rows > 0, np.clip(1 - under - over, 0.0, 1.0), 1.0).prod(-1))


@cache
def largest_square(groups: int) -> float:
    """The mean of the largest z^2 of so many standard normals z: 1 of one, 3.8 of ten."""
    at = _FAR * (_NODES + 1) / 2
    return float((_WEIGHTS * 2 * at * (1 - erf(at / np.sqrt(2)) ** groups)).sum() * _FAR / 2)
