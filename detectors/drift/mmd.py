"""Maximum mean discrepancy of all features together, by random Fourier features of a Gaussian kernel."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.measure import Subject
from detectors.drift.comparison import about, compared
from detectors.evidence import Joint
from detectors.law import chi_square
from detectors.spec import NoParams, Result, Spec, estimable
from detectors.summary.multivariate import PAIRS, UNIT

FEW = "a side has less than two rows"


def features(side: Joint) -> tuple[Floats, Floats]:
    """The mean of the rows' features (..., 2 * PAIRS), and the square of its length (...); the features of a row have the length 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = side.sums[..., : 2 * PAIRS] / (UNIT * np.sqrt(PAIRS) * side.n[..., None])
    return mean, np.asarray((mean**2).sum(-1))


def _compute(target: Joint, baseline: Joint, _params: NoParams) -> Result:
    """The square of the distance of both means, less what rows of one law are apart on average: unbiased, so it may be below 0.

    Source: Gretton et al. 2012; Rahimi and Recht 2007 for the features.
    """
    profile = target.profile
    if profile is None:
        nothing = np.full(target.n.shape, np.nan)
        return Result(nothing, estimable(nothing, (True, target.unknown))[1])
    (here, own), (there, other) = features(target), features(baseline)
    n, m = target.n, baseline.n
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = ((here - there) ** 2).sum(-1)
        spread, spreads = (1 - own) * n / (n - 1), (1 - other) * m / (m - 1)  # the variance of each side's features
        value = apart - spread / n - spreads / m
        pooled = (n * spread + m * spreads) / (n + m)
        statistic = profile.degrees * apart / ((1 / n + 1 / m) * pooled)
    value, why = estimable(
        value,
        (~target.known, target.unknown),
        (~baseline.known, "baseline: " + baseline.unknown),
        ((n < 2) | (m < 2), FEW),
    )
    return Result(value, why, law=chi_square(np.where(np.isfinite(value), statistic, np.nan), np.full(value.shape, profile.degrees)))


SPEC = Spec(
    about=about(
        "mmd",
        "Maximum mean discrepancy",
        "|mean of target's features - baseline's|^2 - what rows of one law are apart on average (squared MMD, unbiased)",
        "MMD",
        subject=Subject.MODEL,
    ),
    evidence=Joint,
    compute=compared(_compute),
    no_value="all rows are alike",
)
