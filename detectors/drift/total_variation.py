"""Total variation and the largest difference of shares (L-infinity)."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from detectors.drift.comparison import about, comparison, distance_spec, evidence, in_use, per_row, shares
from detectors.evidence import Counts
from detectors.interval import hoeffding
from detectors.law import largest_difference, total_difference
from detectors.spec import Result


def total_variation(target: Floats, baseline: Floats) -> Floats:
    """Sum |p - q| / 2 of the shares p and q of all bins as they are, in [0, 1].

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty.
    """
    return np.asarray(_terms(target, baseline).sum(-1) / 2)


def linf(target: Floats, baseline: Floats) -> Floats:
    """Max |p - q| over all bins as they are, in [0, 1]; shapes as above."""
    return np.asarray(_terms(target, baseline).max(-1))


def _terms(target: Floats, baseline: Floats) -> Floats:
    p, q = shares(target, baseline)
    return np.asarray(np.abs(p - q))


def _total_variation(target: Counts, baseline: Counts) -> Result:
    """The interval is conservative. A value overstates its population's by sqrt(B h) / 2 at most in the mean, and is near its mean (McDiarmid 1989)."""
    value, h, bins = total_variation(target.counts, baseline.counts), per_row(target, baseline), in_use(target.counts, baseline.counts)

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        near = hoeffding(phi * h, np.ones_like(bins))
        return np.maximum(value - np.sqrt(bins * phi * h) / 2 - near, 0.0), np.minimum(value + near, 1.0)

    law = total_difference(value, _pooled(target, baseline), h)
    return Result(value, interval=interval, law=law, evidence=evidence(target, baseline, _terms))


def _linf(target: Counts, baseline: Counts) -> Result:
    """The interval is conservative: that of all bins at once."""
    value, h, bins = linf(target.counts, baseline.counts), per_row(target, baseline), in_use(target.counts, baseline.counts)

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        near = hoeffding(phi * h, bins)
        return np.maximum(value - near, 0.0), np.minimum(value + near, 1.0)

    law = largest_difference(value, _pooled(target, baseline), h)
    return Result(value, interval=interval, law=law, evidence=evidence(target, baseline, _terms))


def _pooled(target: Counts, baseline: Counts) -> Floats:
    """The shares of bins of both sides together."""
    with np.errstate(invalid="ignore"):
        return np.asarray((target.counts + baseline.counts) / (target.n + baseline.n)[..., None])


SPEC = distance_spec(
    about("total_variation", "Total variation distance", "sum |p - q| / 2 over all bins", "Total variation"),
    comparison(_total_variation),
)
LINF = distance_spec(about("linf", "Largest difference of shares", "max |p - q| over all bins", "L-infinity"), comparison(_linf))
