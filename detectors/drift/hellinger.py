"""Hellinger distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.block import Floats
from detectors.drift.comparison import about, comparison, distance_spec, divergence, evidence, in_use, per_row, shares
from detectors.evidence import Counts
from detectors.spec import Result


def hellinger(target: Floats, baseline: Floats) -> Floats:
    """sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) of the shares p and q of all bins as they are, in [0, 1].

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty. Source: Hellinger 1909.
    """
    return np.asarray(np.sqrt(np.minimum(_terms(target, baseline).sum(-1) / 2, 1.0)))


def _terms(target: Floats, baseline: Floats) -> Floats:
    p, q = shares(target, baseline)
    return np.asarray((np.sqrt(p) - np.sqrt(q)) ** 2)


def _distance(target: Counts, baseline: Counts) -> Result:
    """8 H^2 / h is chi-square with a degree of freedom less than there are bins in use."""
    value = hellinger(target.counts, baseline.counts)
    found = divergence(
        value,
        8 * value**2,
        lambda scaled: np.minimum(np.sqrt(scaled / 8), 1.0),
        per_row(target, baseline),
        in_use(target.counts, baseline.counts) - 1,
    )
    return replace(found, evidence=evidence(target, baseline, _terms))


SPEC = distance_spec(
    about("hellinger", "Hellinger distance", "sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) over all bins", "Hellinger"), comparison(_distance)
)
