"""Out-of-range rate."""

from __future__ import annotations

import numpy as np

from core.contract import Kind
from core.measure import Measure, Subject
from detectors.evidence import Moments
from detectors.rate import rate_spec

NO_RANGE = "the contract has no range of this column"


def _unknown(side: Moments) -> str:
    return NO_RANGE if side.column.range is None else side.unknown


SPEC = rate_spec(
    Measure(
        name="quality.out_of_range_rate",
        title="Out-of-range rate",
        formula="numbers below or above the column's range / n",
        brief="Out of range",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.NUMERIC,),
        tested=True,
    ),
    Moments,
    lambda side: np.where(side.known & (side.column.range is not None), side.outside, np.nan),
    _unknown,
)
