"""When to try again, and when to give up: the schedule of Standard Webhooks."""

from __future__ import annotations

import random
from email.utils import parsedate_to_datetime

from core import moment

GIVE_UP = 3 * moment.DAY  # after the notification began to wait
_SCHEDULE = (
    *(5 * moment.SECOND, 5 * moment.MINUTE, 30 * moment.MINUTE),
    *(hours * moment.HOUR for hours in (2, 5, 10, 14, 20, 24)),
)

# Statuses about the message itself would come again; all others may be temporary.
_FINAL = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431})
GONE = 410  # the address is gone for good


def final(status: int) -> bool:
    """Whether trying again is of no use. Redirects, 401, 403 and 404 are not final: the receiver may still be set up."""
    return status == GONE or status in _FINAL


def wait(attempts: int, retry_after: str | None, now: int, dice: random.Random) -> int:
    """Microseconds to wait after the `attempts`-th attempt failed: by chance up to the step of the schedule; longer if the receiver asks.

    A step is at least a second, so that chance makes no storm.

    >>> [round(wait(n, None, 0, random.Random(1)) / 1e6, 1) for n in (1, 2, 20)]
    [1.0, 40.3, 11609.1]
    """
    step = _SCHEDULE[min(attempts, len(_SCHEDULE)) - 1]
    return max(int(step * dice.random()), moment.SECOND, asked(retry_after, now))


def asked(retry_after: str | None, now: int) -> int:
    """Microseconds that a Retry-After header asks for, at most a day: seconds, or a date; 0 if it is neither."""
    return min(_read(retry_after, now), moment.DAY)


def _read(retry_after: str | None, now: int) -> int:
    if retry_after is None:
        return 0
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9]) * moment.SECOND
    try:
        return max(0, moment.of(parsedate_to_datetime(retry_after)) - now)
    except (ValueError, TypeError, OverflowError):  # not a date; a date without a zone; numbers beyond any date
        return 0
