"""What is found in a place, and the place before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.oracle.dispersion import Basis
from tests.oracle.rows import Rows
from tests.oracle.spec import duration


class Found(NamedTuple):
    """A measure's value and n in one place, with the value's interval; a place without rows has n 0."""

    value: float | None
    n: int
    lower: float | None = None
    upper: float | None = None
    worth: float | None = None  # independent rows
    excess: float = 0.0  # of PSI, over what it would be on average if nothing had moved
    p: float = 1.0
    uncalibrated: bool = False  # made of p-values although no window tells what chance does
    broken: bool = False  # what it assumes does not hold
    coverage: float = 1.0  # by labels
    few: bool = False  # too few rows are left to compare
    said: str | None = None  # a verdict that no threshold makes


NOTHING = Found(None, 0)


class Asked(NamedTuple):
    """What is looked up: a monitor of a column ("" for the whole model) in the reference (`whole`) and in the stream (`live`), by windows and segments."""

    monitor: Mapping[str, Any]
    column: str
    whole: Rows
    live: Rows
    grouping: tuple[str, ...]
    length: int
    every: int
    basis: Callable[[], Basis]


# What is found in a place, given its key (window, segment).
Lookup = Callable[[int, str], tuple[Found, Found | None]]  # target, baseline


def earlier(against: str | Mapping[str, str] | None, length: int) -> int:
    """How much earlier the window begins that is the baseline."""
    return duration(against["prior"]) if isinstance(against, Mapping) else length


def beside(asked: Asked, found: Callable[[Rows, tuple[int, str], int], Found]) -> Lookup:
    """What is `found` in rows at a place and of a length (0: all of the reference): in the window, and in the reference or in an earlier window."""
    against = asked.monitor.get("baseline")

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = found(asked.live, (start, segment), asked.length)
        if against is None:
            return target, None
        if against == "reference":
            return target, found(asked.whole, (0, segment), 0)
        return target, found(asked.live, (start - earlier(against, asked.length), segment), asked.length)

    return find
