"""Measures of how a model's events come: rows that cannot be used, predictions that come again or late, and labels without a prediction."""

from __future__ import annotations

import msgspec

from core.measure import Measure, Need
from detectors.arrival import Copies, Late, Lateness, Orphans, Rejects
from detectors.rate import NO_ROWS, rate, rate_spec
from detectors.spec import Result, Spec


class LateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`after`: a prediction is late if the log took it more than so much later than its `ts`."""

    after: Lateness = "1h"


def _late(target: Late, baseline: Late | None, params: LateParams) -> Result:
    other = None if baseline is None else (baseline.late[params.after], baseline.n)
    return rate((target.late[params.after], target.n), other)


LATE_RATE = Spec(
    about=Measure(
        name="quality.late_rate",
        title="Late rate",
        formula="predictions that the log took more than `after` later than their ts / n",
        unit="share",
        better=-1,
        of_stream=True,
    ),
    evidence=Late,
    compute=_late,
    no_value=NO_ROWS,
    params=LateParams,
)
ORPHAN_LABEL_RATE = rate_spec(
    Measure(
        name="quality.orphan_label_rate",
        title="Orphan label rate",
        formula="labels without a prediction / n",
        brief="Orphan labels",
        unit="share",
        better=-1,
        requires=(Need.LABELS,),
        of_stream=True,
    ),
    Orphans,
    lambda side: side.orphans,
)
DUPLICATE_RATE = rate_spec(
    Measure(
        name="quality.duplicate_rate",
        title="Duplicate rate",
        formula="predictions that came again / all that came",
        unit="share",
        better=-1,
        of_stream=True,
    ),
    Copies,
    lambda side: side.copies,
)
REJECTED_RATE = rate_spec(
    Measure(
        name="quality.rejected_rate",
        title="Rejected rate",
        formula="rows that could not be used / all rows that the log took, without copies",
        unit="share",
        better=-1,
        of_stream=True,
    ),
    Rejects,
    lambda side: side.rejected,
)
SPECS = (REJECTED_RATE, DUPLICATE_RATE, LATE_RATE, ORPHAN_LABEL_RATE)
