"""Null rate."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Column
from core.measure import Measure, Subject
from detectors.evidence import Counts
from detectors.spec import NoParams, Result, Spec


def null_rate(target: Floats, column: Column) -> Floats:
    """The share of all rows whose value is missing or null; target: counts (..., bins), returns (...), NaN where there is no row."""
    with np.errstate(invalid="ignore"):
        return np.asarray(target[..., column.null] / target.sum(-1))


SPEC: Spec[Counts, NoParams] = Spec(
    about=Measure(
        name="quality.null_rate", title="Null rate", formula="nulls / n", unit="share", subject=Subject.COLUMN, better=-1, usual=True
    ),
    evidence=Counts,
    compute=lambda target, _baseline, _params: Result(null_rate(target.counts, target.column)),
    no_value="no rows",
)
