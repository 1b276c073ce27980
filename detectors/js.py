"""Jensen-Shannon distance, base 2."""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

from core.block import Floats


def js(target: Floats, baseline: Floats) -> Floats:
    """The square root of the Jensen-Shannon divergence in bits, in [0, 1], over all bins as they are.

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty.
    Source: Endres and Schindelin 2003; equals `scipy.spatial.distance.jensenshannon(target, baseline, base=2)`.
    """
    with np.errstate(invalid="ignore"):
        p = target / target.sum(-1, keepdims=True)
        q = baseline / baseline.sum(-1, keepdims=True)
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle).sum(-1) + rel_entr(q, middle).sum(-1)) / (2 * np.log(2))
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))
