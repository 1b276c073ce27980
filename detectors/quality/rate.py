"""The rates of rows in a bin of bad values: null, invalid, unseen."""

from __future__ import annotations

from core.contract import Kind
from core.measure import Measure, Subject
from detectors.contribution import new_values
from detectors.evidence import Counts
from detectors.rate import rate_spec
from detectors.summary.text_column import STATES

NULL_RATE = rate_spec(
    Measure(
        name="quality.null_rate",
        title="Null rate",
        formula="nulls / n",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        usual=True,
        tested=True,
    ),
    Counts,
    lambda side: side.counts[..., side.column.null],
)
INVALID_RATE = rate_spec(
    Measure(
        name="quality.invalid_rate",
        title="Invalid rate",
        formula="values of a wrong type / n",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        tested=True,
    ),
    Counts,
    lambda side: side.counts[..., side.column.invalid],
)
UNSEEN_CATEGORY_RATE = rate_spec(
    Measure(
        name="quality.unseen_category_rate",
        title="Unseen category rate",
        formula="values that the reference does not have / n",
        brief="Unseen rate",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.CATEGORICAL,),
        tested=True,
    ),
    Counts,
    lambda side: side.counts[..., side.column.values + 1],
    examples=lambda side: new_values(side.rows, side.n, side.counts[..., side.column.values + 1]),
)
EMPTY_RATE = rate_spec(
    Measure(
        name="quality.empty_rate",
        title="Empty rate",
        formula="texts without a character / n",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.TEXT,),
        tested=True,
    ),
    Counts,
    lambda side: side.counts[..., STATES.index("empty")],
)
SPECS = (NULL_RATE, INVALID_RATE, UNSEEN_CATEGORY_RATE, EMPTY_RATE)
