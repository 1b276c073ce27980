"""Windows from the beginning of a week, month, quarter or year to the end of each of its days."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.calendar import SINCE, Calendar, Unit
from core.span import Spans
from core.window.period import TRIED, calendar_of

NAMES = {f"{unit}_to_date": unit for unit in Unit if unit is not Unit.DAY}


class ToDate(msgspec.Struct, frozen=True, tag_field="kind", tag="to_date"):
    """One window a day of a calendar: from the beginning of the period that holds the day to the end of the day."""

    unit: Unit
    calendar: Calendar = Calendar()

    @staticmethod
    def read(written: Mapping[str, Any]) -> ToDate | None:
        """The windows of `{window: month_to_date}`; None if another kind is written. Raises ConfigError."""
        if (unit := NAMES.get(str(written.get("window")))) is None:
            return None
        return ToDate(unit, calendar_of(written, unit))

    @property
    def written(self) -> dict[str, Any]:
        """The document that `read` reads."""
        return {"window": f"{self.unit}_to_date", **self.calendar.written}

    @property
    def text(self) -> str:
        """For people: `month to date, Europe/Rome`."""
        return ", ".join(filter(None, (f"{self.unit} to date", self.calendar.text)))

    @property
    def step(self) -> int:
        """The time between two ends where clocks do not change, in microseconds."""
        return moment.DAY

    @property
    def longest(self) -> int:
        """The length of the longest window, in microseconds."""
        return _longest(self)

    @property
    def overlaps(self) -> bool:
        """Whether two windows may share an event: those of one period do."""
        return True

    def fits(self, pane: int, since: int = SINCE) -> bool:
        """Whether every window that holds an event from `since` on is made of whole panes, both in microseconds."""
        return self.calendar.fits(pane, since)

    def between(self, first: int, last: int) -> Spans:
        """The windows in order, from the one of the day that holds an event at `first` to the one of the day that holds an event at `last` (microseconds)."""
        begin, end = self.calendar.date(np.array([first, last])).tolist()
        dates = np.arange(begin, end + 1)
        found = self._spans(self.calendar.first(self.unit, dates), dates)
        return found.take(self.calendar.instant(dates) < found.end)  # without the days that clocks skip

    def before(self, spans: Spans, count: int) -> tuple[Spans, ...]:
        """For each window the same days of each of the `count` periods before."""
        return tuple(self.moved(spans, self.unit, earlier) for earlier in range(1, count + 1))

    def moved(self, spans: Spans, unit: Unit, count: int) -> Spans:
        """The same windows `count` periods of another unit earlier; those of weeks by whole weeks."""
        first, last = self.calendar.date(spans.start), self.calendar.date(spans.end - 1)
        if self.unit is Unit.WEEK:
            return self._spans(first - 7 * unit.weeks * count, last - 7 * unit.weeks * count)
        return self._spans(self.calendar.moved(unit, first, -count), self.calendar.moved(unit, last, -count))

    def apart(self, unit: Unit) -> bool:
        """Whether a window never overlaps the same window one such period earlier."""
        return unit.rank >= self.unit.rank

    def at(self, time: int) -> tuple[int, int]:
        """The window of the day that holds a time."""
        return self.between(time, time).pairs()[0]

    def closes(self, after: int) -> int:
        """The first end of a window that is later than `after`, in microseconds."""
        return int(self.between(after, after).end[0])

    def _spans(self, first: Ints, last: Ints) -> Spans:
        return Spans(self.calendar.instant(first), self.calendar.instant(last + 1))


@cache
def _longest(windows: ToDate) -> int:
    spans = windows.between(*TRIED)
    return int((spans.end - spans.start).max())
