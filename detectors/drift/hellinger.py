"""Hellinger distance."""

from __future__ import annotations

import numpy as np

from core.baseline.reference import Reference
from core.block import Floats
from core.measure import Measure, Subject
from detectors.drift.comparison import comparison
from detectors.evidence import Counts
from detectors.spec import Spec


def hellinger(target: Floats, baseline: Floats) -> Floats:
    """sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) of the shares p and q of all bins as they are, in [0, 1].

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty. Source: Hellinger 1909.
    """
    with np.errstate(invalid="ignore"):
        p = target / target.sum(-1, keepdims=True)
        q = baseline / baseline.sum(-1, keepdims=True)
    return np.asarray(np.sqrt(np.minimum(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1) / 2, 1.0)))


SPEC = Spec(
    about=Measure(
        name="drift.hellinger",
        title="Hellinger distance",
        formula="sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) over all bins",
        brief="Hellinger",
        subject=Subject.COLUMN,
        better=-1,
        compares=True,
        usual_baseline=Reference(),
    ),
    evidence=Counts,
    compute=comparison(lambda target, baseline: hellinger(target.counts, baseline.counts)),
    no_value="one side has no rows",
)
