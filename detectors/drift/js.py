"""Jensen-Shannon distance, base 2."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import rel_entr

from core.block import Floats
from detectors.drift.comparison import about, comparison, distance_spec, divergence, evidence, in_use, per_row, shares
from detectors.evidence import Counts
from detectors.spec import Result


def js(target: Floats, baseline: Floats) -> Floats:
    """The square root of the Jensen-Shannon divergence in bits, in [0, 1], over all bins as they are.

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty.
    Source: Endres and Schindelin 2003; equals `scipy.spatial.distance.jensenshannon(target, baseline, base=2)`.
    """
    return np.asarray(np.sqrt(np.clip(_terms(target, baseline).sum(-1), 0.0, 1.0)))


def _terms(target: Floats, baseline: Floats) -> Floats:
    p, q = shares(target, baseline)
    middle = (p + q) / 2
    return np.asarray((rel_entr(p, middle) + rel_entr(q, middle)) / (2 * np.log(2)))


def _distance(target: Counts, baseline: Counts) -> Result:
    """8 ln 2 JS^2 / h is chi-square with a degree of freedom less than there are bins in use."""
    value = js(target.counts, baseline.counts)
    found = divergence(
        value,
        8 * np.log(2) * value**2,
        lambda scaled: np.minimum(np.sqrt(scaled / (8 * np.log(2))), 1.0),
        per_row(target, baseline),
        in_use(target.counts, baseline.counts) - 1,
    )
    return replace(found, evidence=evidence(target, baseline, _terms))


SPEC = distance_spec(
    about("js", "Jensen-Shannon distance", "sqrt(JSD(p, q)), in bits, over all bins", "JS distance", unit="base 2", usual=True),
    comparison(_distance),
)
