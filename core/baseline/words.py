"""What a window is compared with, in words: `the Tuesdays of the last 3 weeks`."""

from __future__ import annotations

import numpy as np

from core import moment
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.same_weekday import SameWeekday
from core.calendar import WEEKDAYS, Calendar
from core.window.kind import Window
from core.window.period import Period
from core.window.to_date import ToDate

_DAY = 25 * moment.HOUR  # no day is longer


def words(baseline: Baseline, kind: Window, window: tuple[int, int] | None = None) -> str:
    """What windows of a kind are compared with; of one window, its start and its end in microseconds, with its weekday."""
    if isinstance(baseline, Previous) and isinstance(kind, Period | ToDate):
        several = f"the {kind.unit} before" if baseline.count == 1 else f"the {baseline.count} {kind.unit}s before"
        return several if isinstance(kind, Period) else f"the same days of {several}"
    if isinstance(baseline, SameWeekday) and window is not None and window[1] - window[0] <= _DAY:
        calendar = kind.calendar if isinstance(kind, Period | ToDate) else Calendar()
        first, last = calendar.date(np.array([window[0], window[1] - 1])).tolist()
        if first == last:
            weekday = WEEKDAYS[(first + 3) % 7].capitalize()
            return f"the {weekday} of the week before" if baseline.count == 1 else f"the {weekday}s of the last {baseline.count} weeks"
    return baseline.words
