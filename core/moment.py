"""Points in time as microseconds since the epoch, and their RFC 3339 text."""

from __future__ import annotations

import datetime as dt
import re

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What the stores can hold: 1900 to 2255.
EARLIEST, LATEST = -2_208_988_800_000_000, 9_000_000_000_000_000

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_TEXT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d+))?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FURTHEST = 253_402_300_799 * SECOND  # 9999-12-31T23:59:59Z


def parse(value: object) -> int:
    """Microseconds of an RFC 3339 text with a zone, or of a number of milliseconds since the epoch.

    Finer digits than microseconds are cut. Raises ValueError that says what is wrong.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a time must be RFC 3339 text or milliseconds since the epoch")
    if not isinstance(value, str):
        if value != value or not abs(value) * 1_000 <= _FURTHEST:
            raise ValueError(f"{value} is not a time in milliseconds since the epoch")
        return value * 1_000 if isinstance(value, int) else int(value * 1_000)
    if (match := _TEXT.fullmatch(value)) is None:
        if re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", value, re.ASCII) and not re.search(r"([Zz]|[+-]\d\d:?\d\d)$", value):
            raise ValueError(f"{value[:40]!r} has no time zone; write it with Z or an offset")
        raise ValueError(f"{value[:40]!r} is not an RFC 3339 time")
    if (fraction := match.group(1)) and len(fraction) > 6:
        value = value.replace("." + fraction, "." + fraction[:6], 1)
    try:
        return of(dt.datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        raise ValueError(f"{value[:40]!r} is not an RFC 3339 time") from None


def of(moment: dt.datetime) -> int:
    """Microseconds of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(microseconds: int) -> dt.datetime:
    """The aware UTC datetime of `microseconds`."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def text(microseconds: int) -> str:
    """RFC 3339 with `Z`; a fraction only where there is one.

    >>> text(1_656_633_600_000_000)
    '2022-07-01T00:00:00Z'
    """
    return to_datetime(microseconds).isoformat().replace("+00:00", "Z")


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
