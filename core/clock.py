"""Clocks. Code that needs the time gets a clock as an argument.

All times are whole microseconds since 1970-01-01T00:00:00Z, as `int`.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the wall time."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1_000


class ManualClock:
    """A clock that moves only by `advance`; for tests and for evaluating a past date."""

    def __init__(self, now: int = 0) -> None:
        self._now = now

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        return self._now

    def advance(self, microseconds: int) -> None:
        """Move forward by `microseconds`."""
        self._now += microseconds
