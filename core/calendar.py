"""The days, weeks, months, quarters and years of a time zone, as dates and as points in time."""

from __future__ import annotations

import datetime as dt
import difflib
import zoneinfo
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

import msgspec
import numpy as np

from core import duration, moment
from core.block import Ints
from core.error import ConfigError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS = ("timezone", "week_start", "year_start", "offset")
_THURSDAY = 3  # 1970-01-01
_FIRST, _LAST = -36_525, 109_573  # dates outside of 1870 to 2270 are those: stores hold no time beyond
SINCE = 365 * moment.DAY  # 1971-01-01, before which contracts have no events unless they say so
_TRIED = 29_220  # 2050-01-01, until which midnights must lie between two panes
_LONGEST = 366  # days of the longest window


class Unit(StrEnum):
    """A stretch of the calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def rank(self) -> int:
        """0 for a day, 4 for a year."""
        return list(Unit).index(self)

    @property
    def days(self) -> int:
        """The days of the shortest one."""
        return (1, 7, 28, 89, 365)[self.rank]

    @property
    def weeks(self) -> int:
        """The whole weeks nearest to one, 0 for a day."""
        return (0, 1, 4, 13, 52)[self.rank]

    @property
    def months(self) -> int:
        """The months of one, 0 for a day or a week."""
        return (0, 0, 1, 3, 12)[self.rank]


class Calendar(msgspec.Struct, frozen=True):
    """A calendar: its time zone (IANA), the weekday on which weeks begin, the month in which years and quarters begin (1 to 12), and by how much all of it is shifted (microseconds).

    Dates are days since 1970-01-01. A day is `[instant(date), instant(date + 1))`: it has 23 or 25 hours where clocks change.
    """

    timezone: str = "UTC"
    week_start: str = "monday"
    year_start: int = 1
    offset: int = 0

    @staticmethod
    def read(written: Mapping[str, Any]) -> Calendar:
        """The calendar of the fields `KEYS`, those that are there. Raises ConfigError."""
        zone, week, year = written.get("timezone", "UTC"), written.get("week_start", "monday"), written.get("year_start", 1)
        if not isinstance(zone, str) or zone not in _zones():
            near = difflib.get_close_matches(str(zone), _zones(), 1)
            raise ConfigError(
                f"there is no time zone `{zone}`", remedy=f"write an IANA name such as {near[0] if near else 'Europe/Rome'}, or UTC"
            )
        if week not in WEEKDAYS:
            raise ConfigError(f"`week_start: {week}` is no weekday", remedy="write one of " + ", ".join(WEEKDAYS))
        if isinstance(year, bool) or not isinstance(year, int) or not 1 <= year <= 12:
            raise ConfigError(f"`year_start: {year}` is no month", remedy="write a number from 1 to 12")
        offset = duration.parse(written["offset"]) if "offset" in written else 0
        return Calendar(zone, str(week), int(year), offset)

    @property
    def written(self) -> dict[str, Any]:
        """The document that `read` reads, without what is as usual."""
        usual, text = Calendar(), {"offset": duration.text(self.offset)}
        return {name: text.get(name, value) for name in KEYS if (value := getattr(self, name)) != getattr(usual, name)}

    @property
    def text(self) -> str:
        """For people, what is not as usual: `Europe/Rome, weeks from sunday`; else empty."""
        week = [] if self.week_start == "monday" else [f"weeks from {self.week_start}"]
        year = [] if self.year_start == 1 else [f"years from month {self.year_start}"]
        shift = [f"{duration.text(self.offset)} later"] if self.offset else []
        return ", ".join([*([] if self.timezone == "UTC" else [self.timezone]), *week, *year, *shift])

    def fits(self, pane: int, since: int = SINCE) -> bool:
        """Whether days consist of whole panes of `pane` microseconds in all windows that may hold an event from `since` on."""
        return self.fitting(pane, since) == since // moment.DAY

    def fitting(self, pane: int, since: int = SINCE) -> int | None:
        """The date from which on, at `since` or later, events are only in windows whose days consist of whole panes; None if there is none."""
        first = since // moment.DAY
        dates = np.arange(first - _LONGEST, _TRIED)  # a window may begin so long before an event that it holds
        wrong = dates[self.instant(dates) % pane != 0]
        found = int(wrong[-1]) + 1 + _LONGEST if len(wrong) else first
        return found if found < _TRIED else None

    def date(self, times: Ints) -> Ints:
        """The date of each time."""
        times = np.asarray(times, np.int64) - self.offset
        if not len(times):
            return times
        first = max(int(times.min()) // moment.DAY - 2, _FIRST)
        dates = np.arange(first, min(int(times.max()) // moment.DAY + 3, _LAST) + 1)
        place = np.searchsorted(self.instant(dates) - self.offset, times, "right") - 1
        return np.asarray(first + np.maximum(place, 0), np.int64)

    def instant(self, dates: Ints) -> Ints:
        """The time at which each date begins. Two dates begin together if the clocks skip the first of them."""
        dates = np.clip(np.asarray(dates, np.int64), _FIRST, _LAST)
        if self.timezone == "UTC" or not len(dates):
            return np.asarray(dates * moment.DAY + self.offset, np.int64)
        years = dates[[dates.argmin(), dates.argmax()]].astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970
        known = np.concatenate([_midnights(self.timezone, year) for year in range(int(years[0]), int(years[1]) + 1)])
        return np.asarray(known[dates - _january(int(years[0]))] + self.offset, np.int64)

    def first(self, unit: Unit, dates: Ints) -> Ints:
        """The first date of the period that holds each date."""
        dates = np.asarray(dates, np.int64)
        if unit is Unit.DAY:
            return dates
        if unit is Unit.WEEK:
            return np.asarray(dates - (dates + _THURSDAY - WEEKDAYS.index(self.week_start)) % 7, np.int64)
        month, begin = _month(dates), self.year_start - 1
        return _of_month(month - (month - begin) % unit.months)

    def moved(self, unit: Unit, dates: Ints, count: int) -> Ints:
        """The dates so many periods later, earlier if `count` is negative; a day of the month that the other month does not have becomes its last."""
        dates = np.asarray(dates, np.int64)
        if not unit.months:
            return np.asarray(dates + count * unit.days, np.int64)
        month = _month(dates)
        other = month + count * unit.months
        return np.asarray(np.minimum(_of_month(other) + dates - _of_month(month), _of_month(other + 1) - 1), np.int64)

    def between(self, unit: Unit, first: int, last: int) -> Ints:
        """The first dates of the periods from that of the date `first` to that of the date `last`."""
        begin, end = self.first(unit, np.array([first, last])).tolist()
        if not unit.months:
            return np.arange(begin, end + 1, unit.days)
        months = _month(np.array([begin, end]))
        return _of_month(np.arange(months[0], months[1] + 1, unit.months))


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime"}) | {"UTC"}


def _month(dates: Ints) -> Ints:
    """Months since January 1970."""
    return np.asarray(dates.astype("M8[D]").astype("M8[M]").astype(np.int64))


def _of_month(months: Ints) -> Ints:
    """The first date of each month."""
    return np.asarray(months.astype("M8[M]").astype("M8[D]").astype(np.int64))


def _january(year: int) -> int:
    return int(np.datetime64(f"{year:04}-01-01", "D").astype(np.int64))


@lru_cache(maxsize=4_096)
def _midnights(timezone: str, year: int) -> Ints:
    """The time at which each date of a year begins in a zone."""
    zone, first = zoneinfo.ZoneInfo(timezone), dt.date(year, 1, 1)
    days = _january(year + 1) - _january(year)
    # A midnight that clocks skip is taken with the offset before it, which gives the moment of the change; one that comes twice is the first.
    midnights = (dt.datetime.combine(first + dt.timedelta(days), dt.time(), zone) for days in range(days))
    return np.array([moment.of(one.astimezone(dt.UTC)) for one in midnights], np.int64)
