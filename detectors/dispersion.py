"""Dispersion: how much more a statistic varies between the windows of a reference than it would if rows were independent. And p-values that allow for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, fdtrc

from core.block import Floats, Ints
from detectors.spec import Law

ENOUGH = 10  # windows: with fewer, a dispersion is provisional


class Dispersion(NamedTuple):
    """The dispersion `phi` (at least 1), the degrees of freedom `nu` that the windows' statistics show (infinite where they are equal; below 1 where a few windows
    hold most of it), and how many `windows` there were, each (...). n rows are worth n / phi independent ones.
    """

    phi: Floats
    nu: Floats
    windows: Ints

    @staticmethod
    def none(shape: tuple[int, ...]) -> Dispersion:
        """That of independent rows, of which no window has told anything."""
        return Dispersion(np.ones(shape), np.full(shape, np.inf), np.zeros(shape, np.int64))


def dispersion(statistic: Floats) -> Dispersion:
    """Phi = max(1, mean) and nu = 2 mean^2 / variance of the statistics (`detectors.law`) of K windows, (K, ...) to (...).

    NaN stands for a window without a statistic. The variance is the unbiased one, so nu is at least 2 / K, where one window holds everything. Sources: Wedderburn
    1974 for phi; Satterthwaite 1946 for nu.
    """
    there = ~np.isnan(statistic)
    held = np.where(there, statistic, 0.0)
    return _of_sums(there.sum(0), held.sum(0), lambda mean: np.where(there, (statistic - mean) ** 2, 0.0).sum(0))


def dispersion_of_others(statistic: Floats) -> Dispersion:
    """For each of K windows the dispersion of the others, (K, ...) to (K, ...): so each is as new to it as the windows to come."""
    there = ~np.isnan(statistic)
    held = np.where(there, statistic, 0.0)
    windows = there.sum(0) - there
    whole = held.sum(0) / np.maximum(there.sum(0), 1)
    squares = np.where(there, (statistic - whole) ** 2, 0.0)
    return _of_sums(windows, held.sum(0) - held, lambda mean: np.maximum(squares.sum(0) - squares - windows * (mean - whole) ** 2, 0.0))


def _of_sums(windows: Ints, total: Floats, squares: Callable[[Floats], Floats]) -> Dispersion:
    """Of how many windows, the sum of their statistics, and that of squares about their mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / windows
        variance = squares(mean) / (windows - 1)
        nu = np.where(windows > 1, 2 * mean**2 / variance, 1.0)
    some = windows > 0
    return Dispersion(np.where(some, np.maximum(mean, 1.0), 1.0), np.where(some & ~np.isnan(nu), nu, np.inf), windows)


def p_value(law: Law, known: Dispersion) -> Floats:
    """The chance of a statistic as large as this one or larger if nothing moved: (...), NaN where there is no statistic.

    P(F(nu, K nu) > statistic / phi), with nu at most the law's degrees of freedom; with one degree, or where only windows tell the law, P(F(nu, (K - 1) nu) > statistic / phi).
    Without a window P(chi-square > statistic * degrees). Never below `least` of the law.
    """
    statistic, degrees, least, phi, nu, windows = np.broadcast_arrays(*law, *known)
    nu = np.minimum(nu, np.where(np.isnan(degrees), 1.0, degrees))
    with np.errstate(invalid="ignore"):
        within = np.where((degrees == 1) | np.isnan(degrees), np.maximum(windows - 1, 1), windows) * nu
        tested = fdtrc(nu, within, statistic / phi)
        found = np.where(windows > 0, tested, chdtrc(degrees, statistic * degrees))
    return np.asarray(np.where(np.isnan(found), np.nan, np.fmax(found, least)))
