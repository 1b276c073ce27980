"""Tail share."""

from __future__ import annotations

import numpy as np

from core.baseline.reference import Reference
from core.contract import Kind
from core.measure import Measure, Subject
from detectors.rate import rate_spec
from detectors.tails import Tails

NO_TAILS = "the contract has no p1 and p99 of a reference in this column"


def _unknown(side: Tails) -> str:
    return NO_TAILS if side.column.tails is None else side.unknown


SPEC = rate_spec(
    Measure(
        name="drift.tail_share",
        title="Tail share",
        formula="numbers below the reference's p1 or above its p99 / n",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        usual_baseline=Reference(),
        kinds=(Kind.NUMERIC,),
        usual=True,
        tested=True,
    ),
    Tails,
    lambda side: np.where(side.column.tails is not None, side.below + side.above, np.nan),
    _unknown,
)
