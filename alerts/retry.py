"""When to try again, and when to give up."""

from __future__ import annotations

import random
from email.utils import parsedate_to_datetime

from core import moment

GIVE_UP = 3 * moment.DAY  # after the notification was made
_FIRST, _LONGEST = 5 * moment.SECOND, moment.HOUR

# Statuses about the message itself would come again; all others may be temporary. 410 says that the address is gone for good.
_FINAL = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422, 431})


def final(status: int) -> bool:
    """Whether trying again is of no use. Redirects, 401, 403 and 404 are not final: the receiver may still be set up."""
    return status in _FINAL


def wait(attempts: int, retry_after: str | None, now: int, dice: random.Random) -> int:
    """Microseconds to wait after the `attempts`-th attempt failed: 5 s, doubling up to 1 h, less up to half of it by chance; longer if the receiver asks.

    >>> [round(wait(n, None, 0, random.Random(1)) / 1e6, 1) for n in (1, 2, 20)]
    [2.8, 5.7, 2041.9]
    """
    longest = min(_FIRST << min(attempts - 1, 20), _LONGEST)
    return max(int(longest * (1 + dice.random()) / 2), min(_asked(retry_after, now), GIVE_UP))


def _asked(retry_after: str | None, now: int) -> int:
    """Microseconds that a Retry-After header asks for: seconds, or a date; 0 if it is neither."""
    if retry_after is None:
        return 0
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9]) * moment.SECOND
    try:
        return max(0, moment.of(parsedate_to_datetime(retry_after)) - now)
    except (ValueError, TypeError, OverflowError):  # not a date; a date without a zone; numbers beyond any date
        return 0
