"""Jensen-Shannon distance, base 2."""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

from core.baseline.reference import Reference
from core.block import Floats
from core.measure import Measure, Subject
from detectors.drift.comparison import comparison
from detectors.evidence import Counts
from detectors.spec import Spec


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


SPEC = Spec(
    about=Measure(
        name="drift.js",
        title="Jensen-Shannon distance",
        formula="sqrt(JSD(p, q)), in bits, over all bins",
        brief="JS distance",
        unit="base 2",
        subject=Subject.COLUMN,
        better=-1,
        compares=True,
        usual_baseline=Reference(),
        usual=True,
    ),
    evidence=Counts,
    compute=comparison(lambda target, baseline: js(target.counts, baseline.counts)),
    no_value="one side has no rows",
)
