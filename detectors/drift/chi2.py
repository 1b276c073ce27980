"""Cramér's V of side and bin, without its bias: `drift.chi2`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.block import Floats
from detectors.drift.comparison import about, comparison, distance_spec, divergence, evidence, in_use, shares
from detectors.evidence import Counts
from detectors.spec import Result

_NOISE = 1e-14  # of sums of shares, whose root would look like something


def statistic(target: Floats, baseline: Floats) -> Floats:
    """The chi-square statistic of homogeneity of two sides: nm sum (p - q)^2 / (c + r) over the bins in use, with c, r the counts of
    target and baseline, n, m their sums, p = c / n and q = r / m.

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty. Equals
    `scipy.stats.chi2_contingency([target, baseline], correction=False)` of the bins in use.
    """
    return np.asarray(target.sum(-1) * baseline.sum(-1) * _terms(target, baseline).sum(-1))


def cramers_v(target: Floats, baseline: Floats) -> Floats:
    """V = sqrt(max(0, X^2 / N - (B - 1) / (N - 1)) / min(k - 1, s - 1)), with k = B - (B - 1)^2 / (N - 1) for the bins and s = 2 - 1 / (N - 1) for the sides.

    N = n + m, B bins in use; 0 where there is one. Shapes as above. Source: Bergsma 2013.
    """
    total, bins = target.sum(-1) + baseline.sum(-1), in_use(target, baseline)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.maximum(statistic(target, baseline) / total - (bins - 1) / (total - 1), 0.0)
        least = np.minimum(bins - (bins - 1) ** 2 / (total - 1), 2 - 1 / (total - 1)) - 1
        value = np.where(squared > _NOISE, np.minimum(np.sqrt(squared / least), 1.0), 0.0 * squared)
    return np.asarray(value)


def _terms(target: Floats, baseline: Floats) -> Floats:
    (p, q), both = shares(target, baseline), target + baseline
    return np.where(both > 0, (p - q) ** 2 / np.where(both > 0, both, 1.0), 0.0)


def _distance(target: Counts, baseline: Counts) -> Result:
    """X^2 is chi-square with a degree of freedom less than there are bins in use; V^2 N is its noncentrality."""
    value, squared = cramers_v(target.counts, baseline.counts), statistic(target.counts, baseline.counts)
    total, degrees = target.n + baseline.n, in_use(target.counts, baseline.counts) - 1
    found = divergence(value, squared / total, lambda scaled: np.minimum(np.sqrt(scaled), 1.0), 1 / total, degrees)
    return replace(found, evidence=evidence(target, baseline, _terms))


SPEC = distance_spec(
    about("chi2", "Cramér's V", "sqrt(max(0, X^2 / N - (B - 1) / (N - 1)) / min(k - 1, s - 1)) over all bins in use", "Cramér's V"),
    comparison(_distance),
)
