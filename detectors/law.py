"""Statistics whose law is known where rows are independent and nothing moved."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincc, kolmogorov, log_ndtr, logsumexp

from core.block import Floats
from detectors.spec import Law

_FAR = 3.0  # beyond which P(K > x) = 2 exp(-2 x^2), to 1e-15 of it


def chi_square(statistic: Floats, degrees: Floats) -> Law:
    """The law of a statistic that is chi-square then; none without a degree of freedom."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return Law(np.where(degrees > 0, statistic / degrees, np.nan), np.where(degrees > 0, degrees, np.nan))


def proportions(count: Floats, n: Floats, other: Floats, m: Floats) -> Law:
    """Z squared of the rates of two sides, with the pooled variance; 0 where both rates are 0 or both 1. And the exact p-value of independent rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (count + other) / (n + m)
        variance = pooled * (1 - pooled) * (1 / n + 1 / m)
        apart = (count / n - other / m) ** 2
        law = chi_square(np.where((variance == 0) & (apart == 0), 0.0, apart / variance), np.ones_like(variance))
        common = pooled > 0.5
        least = _conditional(np.where(common, n - count, count), np.where(common, m - other, other), n / (n + m))
    return law._replace(least=least)


def _conditional(count: Floats, other: Floats, share: Floats) -> Floats:
    """The two-sided p-value of a count that is rare, given that of both sides together: binomial where nothing moved (Przyborowski and Wilenski 1940)."""
    with np.errstate(invalid="ignore"):
        above = np.where(count > 0, betainc(count, other + 1, share), 1.0)
        below = np.where(other > 0, betaincc(count + 1, other, share), 1.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))


def surprise(log_p: Floats) -> Law:
    """The law of a p-value that is uniform then, or larger: -log p is half a chi-square of two degrees of freedom. Source: Fisher 1932."""
    return Law(np.maximum(0.0, -log_p), np.where(np.isnan(log_p), np.nan, 2.0))


def kolmogorov_distance(distance: Floats, n: Floats, m: Floats) -> Law:
    """The law of the largest distance of two distribution functions of n and m numbers; conservative where numbers are equal or binned. Source: Smirnov 1939."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = distance * np.sqrt(n * m / (n + m))
        return surprise(np.where(scaled > _FAR, np.log(2) - 2 * scaled**2, np.log(kolmogorov(scaled))))


def largest_difference(distance: Floats, pooled: Floats, h: Floats) -> Law:
    """The law of the largest difference of the shares of bins, given as in `total_difference`, by the sum of the chances of each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = h[..., None] * pooled * (1 - pooled)
        each = np.where(variance > 0, log_ndtr(-distance[..., None] / np.sqrt(variance)), -np.inf)
        some = (variance > 0).any(-1)
        return surprise(np.where(some, np.minimum(np.log(2) + logsumexp(each, axis=-1), 0.0), np.nan))


def total_difference(distance: Floats, pooled: Floats, h: Floats) -> Law:
    """The law of half the sum of |differences| of the shares of bins, whose shares of both sides together are `pooled` (..., bins); h = 1/n + 1/m.

    Its square over its mean is chi-square over degrees d that give it its variance. The differences are normal with variances h p (1 - p) and correlations
    r = -sqrt(p q / ((1 - p) (1 - q))); the covariance of their sizes is taken as s t r^2 / pi for standard deviations s and t, which is right to r^4.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = h[..., None] * pooled * (1 - pooled)
        mean = np.sqrt(variance / (2 * np.pi)).sum(-1)
        shared = np.where(pooled < 1, pooled**1.5 / np.sqrt(1 - pooled), 0.0)
        around = ((1 - 2 / np.pi) * variance.sum(-1) + h / np.pi * (shared.sum(-1) ** 2 - (shared**2).sum(-1))) / 4
        square = mean**2 + around
        return chi_square_like(distance**2 / square, around / square)


def chi_square_like(scaled: Floats, spread: Floats) -> Law:
    """The law of the square of a distance over its mean, where `spread` is the part of that mean which is the distance's variance.

    Of a chi variable with d degrees of freedom the part is 1 / (2 d) - 1 / (8 d^2), up to d^-4.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = np.maximum(1 / (2 - np.sqrt(np.maximum(4 - 8 * spread, 0.0))), 1.0)
    return Law(np.asarray(scaled), np.where(np.isnan(scaled), np.nan, degrees))
