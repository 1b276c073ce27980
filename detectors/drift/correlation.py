"""The largest change of a correlation between two numeric features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import chdtrc, chdtri

from core.block import Floats
from core.measure import Subject
from detectors.contribution import MOST
from detectors.drift.comparison import about, compared
from detectors.evidence import Joint
from detectors.law import chi_square
from detectors.spec import NoParams, Places, Result, Spec, estimable
from detectors.summary.multivariate import PAIRS, SCORE

ALONE = "fewer than two numeric features vary on both sides"
_LEAST = 4  # rows
_CLOSEST = 0.99  # correlations beyond are not told apart
_SMALLEST = 1e-300
_NONE = 1e-12  # a variance that is rounding


def correlations(side: Joint) -> Floats:
    """Pearson's correlations of the normal scores of each two numeric features, null counting as 0: (..., pairs) in the order (1, 2), (1, 3), ..., (2, 3), ....

    NaN where a feature does not vary.
    """
    many = _numeric(side)
    first, second = np.triu_indices(many, 1)
    diagonal = np.cumsum([0, *range(many, 1, -1)])
    sums, products = side.sums[..., 2 * PAIRS : 2 * PAIRS + many] / SCORE, side.sums[..., 2 * PAIRS + many :] / SCORE**2
    with np.errstate(invalid="ignore", divide="ignore"):
        n = side.n[..., None]
        mean = sums / n
        variance = products[..., diagonal] / n - mean**2
        variance = np.where(variance > _NONE, variance, np.nan)
        mixed = np.delete(products, diagonal, axis=-1) / n - mean[..., first] * mean[..., second]
        return np.asarray(np.clip(mixed / np.sqrt(variance[..., first] * variance[..., second]), -1.0, 1.0))


def _numeric(side: Joint) -> int:
    return 0 if side.profile is None else sum(map(bool, side.profile.scores))


def _compute(target: Joint, baseline: Joint, _params: NoParams) -> Result:
    """The statistic is the largest squared difference of Fisher's z over the pairs, by its p-value among so many turned into a chi-square of one degree of freedom."""
    profile, shape = target.profile, target.n.shape
    if profile is None or _numeric(target) < 2:
        nothing = np.full(shape, np.nan)
        return Result(nothing, estimable(nothing, (profile is None, target.unknown), (True, ALONE))[1])
    now, before = correlations(target), correlations(baseline)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(now - before)
        there = ~np.isnan(apart)
        largest = np.where(there.any(-1), np.where(there, apart, -1.0).max(-1), np.nan)
        moved = np.arctanh(np.clip(now, -_CLOSEST, _CLOSEST)) - np.arctanh(np.clip(before, -_CLOSEST, _CLOSEST))
        squared = moved**2 / (1 / (target.n - 3) + 1 / (baseline.n - 3))[..., None]
        chance = chdtrc(1.0, np.where(there, squared, 0.0).max(-1))
        among = -np.expm1(there.sum(-1) * np.log1p(-np.minimum(chance, 1 - 1e-15)))
        statistic = chdtri(1.0, np.maximum(among, _SMALLEST))
    few = np.minimum(target.n, baseline.n) < _LEAST
    value, why = estimable(
        largest,
        (~target.known, target.unknown),
        (~baseline.known, "baseline: " + baseline.unknown),
        (few, "too few rows"),
    )
    names = [name for name, scores in zip(profile.columns, profile.scores, strict=True) if scores]
    law = chi_square(np.where(np.isfinite(value), statistic, np.nan), np.ones(value.shape))
    return Result(value, why, law=law, evidence=_evidence(names, now, before))


def _evidence(names: list[str], now: Floats, before: Floats) -> Callable[[Places], list[dict[str, Any]]]:
    """The pairs whose correlations have changed most."""
    first, second = (places.tolist() for places in np.triu_indices(len(names), 1))
    before = np.broadcast_to(before, now.shape)

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = []
        for here, there in zip(now[places], before[places], strict=True):
            apart = np.nan_to_num(np.abs(here - there))
            order = np.argsort(-np.round(apart, 12), kind="stable")[:MOST].tolist()
            parts = [
                {"columns": [names[first[pair]], names[second[pair]]], "target": float(here[pair]), "baseline": float(there[pair])}
                | {"share": float(apart[pair] / apart.sum())}
                for pair in order
                if apart[pair] > 0
            ]
            found.append({"contributions": parts})
        return found

    return evidence


SPEC = Spec(
    about=about(
        "correlation",
        "Change of correlation",
        "max |r of target - r of baseline| over pairs of numeric features, of normal scores",
        "Correlation",
        subject=Subject.MODEL,
    ),
    evidence=Joint,
    compute=compared(_compute),
    no_value=ALONE,
)
