"""Normal quantiles at which several intervals hold together with 95 %."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from core.block import Floats
from detectors.interval import ALPHA

_FAR = 8.5  # standard deviations beyond which nothing of the largest of some normal numbers is left
_HALVINGS = 60


def tukey(groups: Floats, families: int = 1) -> Floats:
    """The quantile at which the intervals of all differences between pairs of `groups` (...) hold together: the studentized range's over root 2 (Tukey 1953).

    `families`: several such sets hold together (Bonferroni). NaN below two groups.
    """
    return _by_count(groups, lambda count: _range_quantile(count, ALPHA / families) / np.sqrt(2), 2)


def bonferroni(comparisons: Floats, families: int = 1) -> Floats:
    """The quantile at which so many two-sided intervals (...) hold together; NaN for none."""
    return _by_count(comparisons, lambda count: float(ndtri(1 - ALPHA / (2 * count * families))), 1)


def _by_count(counts: Floats, quantile: Callable[[int], float], least: int) -> Floats:
    known, places = np.unique(counts, return_inverse=True)
    found = [quantile(int(count)) if count >= least else np.nan for count in known.tolist()]
    return np.array(found, np.float64)[places].reshape(np.shape(counts))


@lru_cache(10_000)
def _range_quantile(groups: int, alpha: float) -> float:
    """The 1 - alpha quantile of the range of so many independent standard normal numbers: P(range <= q) = k * integral of phi(z) (Phi(z) - Phi(z - q))^(k - 1)."""
    nodes, weights = _legendre()
    z = _FAR * nodes
    density = groups * _FAR * weights * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    low, high = 0.0, 2 * _FAR
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        within = float((density * (ndtr(z) - ndtr(z - middle)) ** (groups - 1)).sum())
        low, high = (middle, high) if within < 1 - alpha else (low, middle)
    return (low + high) / 2


@cache
def _legendre() -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre's quadrature of order 256."""
    nodes, weights = np.polynomial.legendre.leggauss(256)
    return nodes, weights
