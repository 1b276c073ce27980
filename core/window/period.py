"""Windows of whole days, weeks, months or quarters of a calendar, which follow one another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.calendar import KEYS, SINCE, Calendar, Unit
from core.error import ConfigError
from core.span import Spans

NAMES = {"daily": Unit.DAY, "weekly": Unit.WEEK, "monthly": Unit.MONTH, "quarterly": Unit.QUARTER}
TRIED = (365 * moment.DAY, 29_220 * moment.DAY)  # 1971 to 2050, in which the longest window is looked for


class Period(msgspec.Struct, frozen=True, tag_field="kind", tag="period"):
    """Windows that begin with a day, week, month or quarter of a calendar and end with it."""

    unit: Unit
    calendar: Calendar = Calendar()

    @staticmethod
    def read(written: Mapping[str, Any]) -> Period | None:
        """The windows of `{window: daily, timezone: Europe/Rome}`; None if another kind is written. Raises ConfigError."""
        if (unit := NAMES.get(str(written.get("window")))) is None:
            return None
        return Period(unit, calendar_of(written, unit))

    @property
    def written(self) -> dict[str, Any]:
        """The document that `read` reads."""
        return {"window": next(name for name, unit in NAMES.items() if unit is self.unit), **self.calendar.written}

    @property
    def text(self) -> str:
        """For people: `daily, Europe/Rome`."""
        return ", ".join(filter(None, (self.written["window"], self.calendar.text)))

    @property
    def step(self) -> int:
        """The shortest time between two starts where clocks do not change, in microseconds."""
        return self.unit.days * moment.DAY

    @property
    def longest(self) -> int:
        """The length of the longest window, in microseconds."""
        return _longest(self)

    @property
    def overlaps(self) -> bool:
        """Whether two windows may share an event: no."""
        return False

    def fits(self, pane: int, since: int = SINCE) -> bool:
        """Whether every window that holds an event from `since` on is made of whole panes, both in microseconds."""
        return self.calendar.fits(pane, since)

    def between(self, first: int, last: int) -> Spans:
        """The windows in order, from the one that holds an event at `first` to the one that holds an event at `last` (microseconds)."""
        dates = self.calendar.date(np.array([first, last]))
        return self._of(self.calendar.between(self.unit, *dates.tolist()))

    def before(self, spans: Spans, count: int) -> tuple[Spans, ...]:
        """For each window the span of the `count` windows just before it."""
        dates = self.calendar.moved(self.unit, self.calendar.date(spans.start), -count)
        return (Spans(self.calendar.instant(dates), spans.start),)

    def moved(self, spans: Spans, unit: Unit, count: int) -> Spans:
        """The same windows `count` periods of another unit earlier; those of weeks by whole weeks."""
        dates = self.calendar.date(spans.start)
        first = dates - 7 * unit.weeks * count if self.unit is Unit.WEEK else self.calendar.moved(unit, dates, -count)
        return self._spans(first)

    def apart(self, unit: Unit) -> bool:
        """Whether a window never overlaps the same window one such period earlier."""
        return unit.rank >= self.unit.rank

    def at(self, time: int) -> tuple[int, int]:
        """The window that holds a time."""
        return self.between(time, time).pairs()[0]

    def closes(self, after: int) -> int:
        """The first end of a window that is later than `after`, in microseconds."""
        return int(self.between(after, after).end[0])

    def _of(self, first: Ints) -> Spans:
        """The windows that begin at these dates, without those that clocks skip."""
        found = self._spans(first)
        return found.take(found.start < found.end)

    def _spans(self, first: Ints) -> Spans:
        return Spans(self.calendar.instant(first), self.calendar.instant(self.calendar.moved(self.unit, first, 1)))


def calendar_of(written: Mapping[str, Any], unit: Unit) -> Calendar:
    """The calendar of windows of a unit. Raises ConfigError."""
    if other := next((key for key in written if key not in ("window", *KEYS)), None):
        raise ConfigError(f"`{written['window']}` takes no `{other}`", remedy="it takes " + ", ".join(KEYS))
    found = Calendar.read(written)
    if found.offset >= unit.days * moment.DAY:
        raise ConfigError(f"`offset: {written['offset']}` is as long as a {unit}, or longer", remedy=f"write less than {unit.days}d")
    return found


@cache
def _longest(windows: Period) -> int:
    spans = windows.between(*TRIED)
    return int((spans.end - spans.start).max())
