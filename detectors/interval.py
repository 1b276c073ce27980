"""95 % intervals, from statistics and effective sizes. All arrays broadcast; NaN where there is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtr, chndtr, chndtrinc, ndtri, stdtrit

from core.block import Floats

ALPHA = 0.05
Z = float(ndtri(1 - ALPHA / 2))
_HALVINGS = 50  # of a range of 1
_LEAST = 1.0  # noncentralities below are left to scipy: there the secant method converges slowly
_LARGE, _WIDE = 1_000.0, 10.0  # above so much, and so many degrees of freedom, Sankaran's approximation is within 2e-6


def wilson(rate: Floats, n: Floats, z: Floats | float = Z) -> tuple[Floats, Floats]:
    """Wilson's score interval of a rate that n rows gave; `z` is the normal quantile of its level, that of 95 % if none is given."""
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def hanley_mcneil(area: Floats, positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """The interval of an area under the ROC curve that so many positive and negative rows gave: Hanley and McNeil's variance, at the bound and not at the value.

    Source: Newcombe 2006, Statistics in Medicine 25, method 5.
    """
    half = np.maximum((positive + negative) / 2 - 1, 0.0)

    def within(theta: Floats) -> npt.NDArray[np.bool_]:
        variance = theta * (1 - theta) * (1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta)) / (positive * negative)
        return np.asarray((area - theta) ** 2 <= Z**2 * variance)

    with np.errstate(invalid="ignore", divide="ignore"):
        bounds = []
        for end in (0.0, 1.0):
            outer, inner = np.full(np.shape(area), end), np.array(area, np.float64)
            for _ in range(_HALVINGS):
                middle = (outer + inner) / 2
                inside = within(middle)
                inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
            bounds.append(np.where((positive > 0) & (negative > 0), inner, np.nan))
    return bounds[0], bounds[1]


def noncentralities(statistic: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    """The noncentralities of the chi-square law under which a statistic is the 97.5 % and the 2.5 % point; 0 where it is smaller than all of these."""
    x, df = np.broadcast_arrays(np.asarray(statistic, np.float64), np.asarray(degrees, np.float64))
    lower, upper = _noncentrality(x.ravel(), df.ravel(), np.array([1 - ALPHA / 2, ALPHA / 2]))
    return lower.reshape(x.shape), upper.reshape(x.shape)


def hoeffding(h: Floats, bins: Floats) -> Floats:
    """How far the difference of two sides' shares is from its population's at most, in each of some bins; h = 1/n + 1/m. Conservative (Hoeffding 1963)."""
    return np.asarray(np.sqrt(np.log(2 * bins / ALPHA) * h / 2))


def dkw(n: Floats, m: Floats) -> Floats:
    """How far two empirical distributions are from their populations' at most, taken together. Conservative (Dvoretzky, Kiefer, Wolfowitz; Massart 1990)."""
    return np.asarray(np.sqrt(np.log(4 / ALPHA) / (2 * n)) + np.sqrt(np.log(4 / ALPHA) / (2 * m)))


def welch(variances: tuple[Floats, Floats], sizes: tuple[Floats, Floats]) -> Floats:
    """Half the width of Welch's interval of a difference of means; NaN where a side has less than two rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (variance / n for variance, n in zip(variances, sizes, strict=True))
        degrees = (first + second) ** 2 / (first**2 / (sizes[0] - 1) + second**2 / (sizes[1] - 1))
        half = stdtrit(degrees, 1 - ALPHA / 2) * np.sqrt(first + second)
    return np.where((sizes[0] > 1) & (sizes[1] > 1), np.where(first + second > 0, half, 0.0), np.nan)


def student(variance: Floats, n: Floats) -> Floats:
    """Half the width of Student's interval of a mean; NaN where there are less than two rows."""
    return welch((variance, np.zeros_like(variance)), (n, np.full_like(n, np.inf)))


def _noncentrality(x: Floats, df: Floats, points: Floats) -> Floats:
    """The noncentrality under which each x is each of some points of the law (points, n); 0 where it is smaller without any, that is where the law without any does not exceed the point at x."""
    there = np.isfinite(x) & (df > 0)
    central = np.full(x.shape, -1.0)
    central[there] = chdtr(df[there], x[there])
    place, at = np.nonzero(central > points[:, None])
    found = np.zeros((len(points), len(x)))
    found[:, ~there] = np.nan
    some, degrees, p = x[at], df[at], points[place]
    z = ndtri(p)
    value = _sankaran(some, degrees, z)
    small = np.flatnonzero(some <= np.maximum(_LARGE, _WIDE * degrees))
    value[small] = _refined(some[small], degrees[small], z[small], value[small])
    least = small[value[small] < _LEAST]
    value[least] = chndtrinc(some[least], degrees[least], p[least])
    found[place, at] = value
    return found


def _sankaran(x: Floats, df: Floats, z: Floats) -> Floats:
    """The noncentrality by Sankaran's second approximation (1963), solved for its root by the secant method."""

    def apart(root: Floats) -> Floats:
        mean, spread = df + root**2, df + 2 * root**2
        h = 1 - 2 / 3 * mean * (df + 3 * root**2) / spread**2
        p, m = spread / mean**2, (h - 1) * (1 - 3 * h)
        return np.asarray(((x / mean) ** h - 1 - h * p * (h - 1 - (2 - h) * m * p / 2)) / (h * np.sqrt(2 * p) * (1 + m * p / 2)) - z)

    root = np.maximum(np.sqrt(np.maximum(x - df, 0.0) + df / 4) - 0.8 * z, 0.3)
    for _ in range(4):
        step = 1e-5 * root
        found = apart(root)
        root = np.maximum(root - found * step / (apart(root + step) - found), root / 4)
    return np.asarray(root**2)


def _refined(x: Floats, df: Floats, z: Floats, start: Floats) -> Floats:
    """The noncentrality at which the normal score of the law is z, by the secant method from a start: `chndtrinc` of scipy takes five times as long."""

    def apart(noncentrality: Floats) -> Floats:
        return np.asarray(ndtri(chndtr(x, df, noncentrality)) - z)

    before, far = start, apart(start)
    found = np.maximum(start + far * 2 * np.sqrt(start + df / 2), start / 4)
    for _ in range(3):
        near = apart(found)
        step = np.divide(near * (found - before), near - far, out=np.zeros_like(x), where=near != far)
        before, far, found = found, near, np.maximum(found - step, found / 4)
    return found
