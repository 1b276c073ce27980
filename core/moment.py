"""Points in time as microseconds since the epoch, and their RFC 3339 text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache

from core.error import ConfigError

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What the stores can hold: 1900 to 2255.
EARLIEST, LATEST = -2_208_988_800_000_000, 9_000_000_000_000_000

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_OFFSET = r"[+-](?:[01]\d|2[0-3]):[0-5]\d"
_TEXT = re.compile(rf"\d{{4}}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d+))?(?:[Zz]|{_OFFSET})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# What is often written instead: date, hours and minutes, seconds, a space, Z or an offset's hours and minutes.
_NEAR = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?( *)(?:([Zz]|UTC)|([+-]\d\d)(:?)(\d\d)?)?", re.ASCII)
_UNESCAPED = re.compile(r"(.*\d\d:\d\d:\d\d(?:\.\d+)?) (\d\d(?::?\d\d)?)", re.ASCII)  # a `+` in an address that was read as a space
_FURTHEST = 253_402_300_799 * SECOND  # 9999-12-31T23:59:59Z


def parse(value: object) -> int:
    """Microseconds of an RFC 3339 text (a space may stand for its T), or of a number of milliseconds since the epoch.

    Finer digits than microseconds are cut. Raises ValueError that says what is wrong, and how it is written.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a time must be RFC 3339 text or milliseconds since the epoch")
    if not isinstance(value, str):
        if value != value or not abs(value) * 1_000 <= _FURTHEST:
            raise ValueError(f"{value} is not a time in milliseconds since the epoch")
        return value * 1_000 if isinstance(value, int) else int(value * 1_000)
    if (match := _TEXT.fullmatch(value)) is None:
        raise ValueError(_fault(value))
    if (fraction := match.group(1)) and len(fraction) > 6:
        value = value.replace("." + fraction, "." + fraction[:6], 1)
    try:
        return of(dt.datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        why = (
            "has a leap second; write second 59" if value[17:19] == "60" else "is not an RFC 3339 time: there is no such day or time of day"
        )
        raise ValueError(f"{value[:40]!r} {why}") from None


def parse_start(value: str) -> int:
    """As `parse`; a date is its midnight in UTC."""
    return parse(f"{value}T00:00:00Z" if _DATE.fullmatch(value) else value)


def span_of(written: Mapping[str, object]) -> tuple[int, int]:
    """Microseconds of `from` and `to`, each a time or a date. Raises ConfigError."""
    bounds = []
    for name in ("from", "to"):
        try:
            bounds.append(parse_start(str(written[name])))
        except ValueError as error:
            raise ConfigError(f"`{name}`: {error}", remedy="write for example 2026-01-31, or 2026-01-31T06:00:00Z") from None
    if bounds[0] >= bounds[1]:
        raise ConfigError(f"`from: {text(bounds[0])}` is not before `to: {text(bounds[1])}`", remedy="exchange them")
    return bounds[0], bounds[1]


def parse_query(value: str) -> int:
    """As `parse`, for a text in an address: digits are milliseconds, and a `+` before an offset need not be escaped."""
    if re.fullmatch(r"-?\d{1,30}", value, re.ASCII):
        return parse(int(value))
    return parse(_UNESCAPED.sub(r"\1+\2", value) if _UNESCAPED.fullmatch(value) else value)


def _fault(value: str) -> str:
    """What is wrong with a text that is not an RFC 3339 time, and how to write it."""
    shown = repr(value[:40])
    if _DATE.fullmatch(value):
        return f"{shown} is a date without a time of day; write {value}T00:00:00Z if it is midnight in UTC"
    if (near := _NEAR.fullmatch(value)) is None or len(value) > 40:
        return f"{shown} is not an RFC 3339 time, such as 2022-07-01T00:00:00Z"
    date, minutes, seconds, space, zulu, hours, colon, rest = near.groups()
    right = f"{date}T{minutes}{seconds or ':00'}"
    if zulu is None and hours is None:
        return f"{shown} has no time zone; write it with Z or an offset: {right}Z if it is UTC"
    offset = "Z" if zulu else f"{hours}:{rest or '00'}"
    if not zulu and not re.fullmatch(_OFFSET, offset):
        return f"{shown} has an offset that does not exist: its hours go to 23, its minutes to 59"
    faults = {
        "no seconds": seconds is None,
        "a space before its time zone": bool(space),
        "UTC as its time zone": zulu == "UTC",
        "an offset without minutes": bool(hours and not rest),
        "an offset without a colon": bool(rest and not colon),
    }
    return f"{shown} has {' and '.join(fault for fault, there in faults.items() if there)}; write {right}{offset}"


def of(moment: dt.datetime) -> int:
    """Microseconds of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(microseconds: int) -> dt.datetime:
    """The aware UTC datetime of `microseconds`."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


@lru_cache(4_096)
def text(microseconds: int) -> str:
    """RFC 3339 with `Z`; a fraction only where there is one.

    >>> text(1_656_633_600_000_000)
    '2022-07-01T00:00:00Z'
    """
    return to_datetime(microseconds).isoformat().replace("+00:00", "Z")


@lru_cache(4_096)
def period(start: int, end: int) -> str:
    """A window in UTC: whole days without the time.

    >>> period(0, 86_400_000_000), period(0, 3_600_000_000)
    ('1970-01-01', '1970-01-01 00:00 to 01:00')
    """
    first, last = to_datetime(start), to_datetime(end)
    if start % DAY == 0 and end % DAY == 0:
        inclusive = to_datetime(end - DAY)
        return f"{first:%Y-%m-%d}" if first == inclusive else f"{first:%Y-%m-%d} to {inclusive:%Y-%m-%d}"
    return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M}" if first.date() == last.date() else f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"


def long(length: int) -> str:
    """A length of time in words.

    >>> long(2 * DAY), long(90 * MINUTE)
    ('2 days', '90 minutes')
    """
    units = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"), (1, "microsecond"))
    size, unit = next((size, unit) for size, unit in units if length % size == 0)
    return f"{length // size} {unit}{'' if length == size else 's'}"
