"""The period that a page shows."""

from __future__ import annotations

from dataclasses import dataclass

from core import duration, moment
from core.window.kind import Window
from dashboard.ports import ModelRow
from dashboard.series import LONGEST
from dashboard.state import RANGES, PageState


@dataclass(frozen=True)
class Period:
    """`[start, end)`, divided into slots of `step`, one for each `window` of a monitor; `cut` says that a longer period was asked for than is drawn."""

    start: int
    end: int
    step: int
    cut: bool = False
    window: Window | None = None

    def slots(self) -> int:
        """The number of windows."""
        return (self.end - self.start) // self.step


def period(row: ModelRow, state: PageState, window: Window) -> Period:
    """The period of a state, aligned to the step of windows. Relative ranges end with the model's last event, not with the clock.

    The selected window is always in the period. A relative range moves to it, with a quarter of its length after it; an absolute range is
    made longer.
    """
    step = window.step
    first = row.first_ts if row.first_ts is not None else 0
    last = row.last_ts if row.last_ts is not None else first
    end = -(-(state.end if state.end is not None else last + 1) // step) * step
    if state.start is not None:
        start = state.start
    elif state.range == "all" or state.range not in RANGES:
        start = first
    else:
        length = duration.parse(state.range)
        start = max(first, end - length)
        if state.end is None and state.window is not None and state.window < start:
            start = max(first, state.window + step + length // 4 - length)
            end = min(end, start + length)
    if state.window is not None:
        start, end = min(start, state.window), max(end, state.window + 1)
    if state.start is not None:
        end = max(end, start + 1)  # the range begins after the last event: it is empty, and does not move to the last window
    end = -(-end // step) * step
    start = min(start // step * step, end - step)
    if (end - start) // step <= LONGEST:
        return Period(start, end, step, window=window)
    if state.window is not None and state.window < end - LONGEST * step:  # the newest would leave it out
        end = min(end, (state.window // step + LONGEST // 4) * step)
    return Period(max(start, end - LONGEST * step), end, step, cut=True, window=window)


def shift(of: Period) -> str:
    """The period in words, and whether it was cut."""
    days = (of.end - of.start) / moment.DAY
    cut = f" ({LONGEST:,} windows at most)" if of.cut else ""
    return (f"{days:.0f} days" if days >= 2 else "1 hour" if days * 24 == 1 else f"{days * 24:.0f} hours") + cut
