"""The shift of the mean and the ratio of variances."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Kind
from core.measure import Judged
from detectors.drift.comparison import about, compared
from detectors.drift.ks import NO_NUMBERS
from detectors.drift.wasserstein import NO_SPREAD
from detectors.evidence import Moments
from detectors.interval import welch
from detectors.law import chi_square
from detectors.spec import Law, NoParams, Places, Result, Spec, estimable

TOO_LARGE = "numbers too large, too small or too far from the reference for their variance"


def mean_shift(target: Moments, baseline: Moments) -> tuple[Floats, Floats]:
    """The difference of means in the column's unit, and its squared standard error by Welch 1947, s^2 / n of both sides, unbiased variances: each (...).

    Their quotient, the first squared, is the square of `scipy.stats.ttest_ind(x, y, equal_var=False).statistic`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return target.mean - baseline.mean, target.variance / target.finite + baseline.variance / baseline.finite


def _shift(target: Moments, baseline: Moments, _params: NoParams) -> Result:
    unit = (target.column.spread or (np.nan, np.nan))[1] or np.nan
    apart, squared = mean_shift(target, baseline)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        t = np.where((apart == 0) & (squared == 0), 0.0, apart / np.sqrt(squared))
        value, why = estimable(
            apart / unit,
            ((target.finite == 0) | (baseline.finite == 0), NO_NUMBERS),
            (bool(np.isnan(unit)), NO_SPREAD),
            (~target.known | ~baseline.known, target.unknown),
        )
        law = chi_square(np.where(np.isfinite(t), t**2, np.nan), np.ones_like(t))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        half = welch((target.variance, baseline.variance), (target.finite / phi, baseline.finite / phi)) / unit
        return value - half, value + half

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = (np.broadcast_to(one, value.shape)[places] for one in (target.mean, baseline.mean, t))
        return [
            {"target": one, "baseline": other, "t": float(z) if np.isfinite(z) else None}
            for one, other, z in zip(*(one.tolist() for one in found), strict=True)
        ]

    return Result(value, why, interval, law, evidence)


def _ratio(target: Moments, baseline: Moments, _params: NoParams) -> Result:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value, why = estimable(
            target.variance / baseline.variance,
            ((target.finite < 2) | (baseline.finite < 2), "one side has less than two numbers"),
            (~target.known | ~baseline.known, target.unknown),
            (baseline.variance == 0, "the baseline has no variance"),
            (target.variance == 0, "the target has no variance"),
        )
        # Of normal numbers; those with heavier tails differ more. So only windows in which nothing moved tell how rare it is.
        squared = np.log(value) ** 2 / (2 / (target.finite - 1) + 2 / (baseline.finite - 1))

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = (np.broadcast_to(side.variance, value.shape)[places].tolist() for side in (target, baseline))
        return [{"target": one, "baseline": other} for one, other in zip(*found, strict=True)]

    return Result(value, why, law=Law(squared, np.full_like(squared, np.nan)), evidence=evidence)


MEAN_SHIFT = Spec(
    about=about(
        "mean_shift",
        "Mean shift",
        "(target's mean - baseline's) / the reference's standard deviation",
        unit="sd",
        judged=Judged.ABSOLUTE,
        kinds=(Kind.NUMERIC,),
    ),
    evidence=Moments,
    compute=compared(_shift),
    no_value=TOO_LARGE,
)
VARIANCE_RATIO = Spec(
    about=about(
        "variance_ratio",
        "Variance ratio",
        "target's variance / baseline's",
        judged=Judged.RATIO,
        better=0,
        kinds=(Kind.NUMERIC,),
    ),
    evidence=Moments,
    compute=compared(_ratio),
    no_value=TOO_LARGE,
)
