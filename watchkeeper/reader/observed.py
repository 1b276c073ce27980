"""What a monitor has told of late: alarm windows, episodes, time in alarm, beside what its budget allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core import duration, moment
from core.span import Spans

PERIOD = 30 * moment.DAY

Fired = Callable[[int], Sequence[tuple[int, int | None]]]


def observed(windows: Spans, fired: Fired) -> dict[str, Any] | None:
    """The closed windows of the last 30 days of a monitor, and how many of them had an open episode, as JSON; None without a window.

    `windows` are all closed ones, and `fired` gives the ends of the windows that fired and resolved each episode that was open after a time.
    """
    if not len(windows):
        return None
    last = int(windows.end.max())
    recent = windows.take(windows.end > last - PERIOD)
    spans = [one for one in fired(last - PERIOD) if one[0] <= last]
    alarm = np.zeros(len(recent), np.bool_)
    for begun, ended in spans:
        alarm |= (recent.end >= begun) & (recent.end < (last + 1 if ended is None else ended))
    return {
        "from": moment.text(int(recent.start.min())),
        "to": moment.text(last),
        "windows": len(recent),
        "alarm_windows": int(alarm.sum()),
        "episodes": len(spans),
        "time_in_alarm": duration.text(_length(recent.take(alarm))),
    }


def _length(windows: Spans) -> int:
    """How long some windows are together, counted once where they overlap."""
    if not len(windows):
        return 0
    reached = np.maximum.accumulate(windows.end)
    before = np.concatenate([windows.start[:1], reached[:-1]])
    return int(np.maximum(reached - np.maximum(windows.start, before), 0).sum())
