"""The stretch of time that a page shows."""

from __future__ import annotations

from dataclasses import dataclass

from core import moment, window
from dashboard.seam import ModelRow
from dashboard.series import LONGEST
from dashboard.state import RANGES, State


@dataclass(frozen=True)
class Period:
    """`[start, end)` cut into windows of `step`; `cut` says that more was asked for than is drawn."""

    start: int
    end: int
    step: int
    cut: bool = False

    def slots(self) -> int:
        """The number of windows."""
        return (self.end - self.start) // self.step


def period(row: ModelRow, state: State, step: int) -> Period:
    """The period of a state, aligned to windows of `step`. Relative ranges end with the model's last event, not with the clock."""
    first = row.first_ts if row.first_ts is not None else 0
    last = row.last_ts if row.last_ts is not None else first
    end = -(-(state.end if state.end is not None else last + 1) // step) * step
    if state.start is not None:
        start = state.start
    elif state.range == "all" or state.range not in RANGES:
        start = first
    else:
        start = max(first, end - window.duration(state.range))
    start = min(start // step * step, end - step)
    cut = (end - start) // step > LONGEST
    return Period(end - LONGEST * step if cut else start, end, step, cut)


def shift(of: Period) -> str:
    """The period in words, and that it was cut where it was."""
    days = (of.end - of.start) / moment.DAY
    cut = f" (the newest {LONGEST:,} windows)" if of.cut else ""
    return (f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours") + cut
