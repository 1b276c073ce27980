"""Schedules: cron expressions of five fields in a time zone.

`minute hour day month weekday`, each `*`, a number, a range `1-5`, a step `*/15` or `8-18/2`, a list of these with commas, and names for months (`jan`) and days (`mon`). 0 and 7 are Sunday. If
both day and weekday are narrowed, a date that suits one of them suits, as in POSIX. A time that the clocks skip is taken as much later as the clocks go
forward, and one that comes twice is taken the first time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core import moment
from core.error import ConfigError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day", 1, 31, ()), ("month", 1, 12, _MONTHS), ("weekday", 0, 7, _DAYS))
_PART = re.compile(r"(?:\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([1-9][0-9]?))?", re.ASCII)
_FARTHEST = 8 * 366  # days: February 29 comes again within eight years
_REMEDY = 'write five fields, minute hour day month weekday: "0 3 * * 1" is Monday at 03:00'


@dataclass(frozen=True)
class Cron:
    """The values that suit, by field; weekdays from 0, Sunday. With `either` a date needs a day or a weekday that suits, else both."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def suits(self, day: date) -> bool:
        """Whether a date suits."""
        monthly, weekly = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (monthly or weekly if self.either else monthly and weekly)


def parse(text: object) -> Cron:
    """An expression. ConfigError names the field at fault, or says that no date suits.

    >>> parse("*/30 3 * * mon-fri").minutes
    (0, 30)
    """
    parts = text.lower().split() if isinstance(text, str) else []
    if len(parts) != len(_FIELDS):
        raise ConfigError(f"{text!r} is no cron expression", remedy=_REMEDY)
    minutes, hours, days, months, weekdays = (_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True))
    cron = Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        either=not (parts[2].startswith("*") or parts[4].startswith("*")),
    )
    first = date(2024, 1, 1)
    if not any(cron.suits(first + timedelta(days=after)) for after in range(_FARTHEST)):
        raise ConfigError(f"no date suits {text!r}", remedy="change day or month")
    return cron


def following(cron: Cron, zone: str, after: int) -> int:
    """The first time (microseconds) after `after` that suits."""
    there = ZoneInfo(zone)
    day = datetime.fromtimestamp(after // moment.SECOND, there).date()
    for _ in range(_FARTHEST):
        if cron.suits(day):
            for hour in cron.hours:
                for minute in cron.minutes:
                    time = _moment(datetime(day.year, day.month, day.day, hour, minute, tzinfo=there))
                    if time > after:
                        return time
        day += timedelta(days=1)
    raise ConfigError("no date suits the schedule", remedy=_REMEDY)  # `parse` has refused it


def _moment(local: datetime) -> int:
    """The time of a local one. In a gap of the clocks its minutes are counted on from before the gap: 02:30 is 03:30 where 02:00 becomes 03:00."""
    return int(local.timestamp()) * moment.SECOND


def _field(part: str, name: str, low: int, high: int, words: tuple[str, ...]) -> set[int]:
    found: set[int] = set()
    for piece in part.split(","):
        match = _PART.fullmatch(piece)
        if match is None:
            raise ConfigError(f"the {name} {piece!r} of a cron expression cannot be read", remedy=_REMEDY)
        first, last, step = match.groups()
        start = low if first is None else _value(first, name, low, high, words)
        end = (
            high
            if first is None or (last is None and step is not None)
            else start
            if last is None
            else _value(last, name, low, high, words)
        )
        if end < start:
            raise ConfigError(f"the {name} {piece!r} of a cron expression ends before it begins", remedy=_REMEDY)
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _value(word: str, name: str, low: int, high: int, words: tuple[str, ...]) -> int:
    value = words.index(word) + low if word in words else int(word) if word.isdigit() else -1
    if not low <= value <= high:
        raise ConfigError(f"the {name} {word!r} of a cron expression is not from {low} to {high}", remedy=_REMEDY)
    return value
