"""Which events are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

Label = Literal["known", "unknown", "wrong"]
Order = Literal["newest", "oldest", "worst"]


class Range(msgspec.Struct, frozen=True):
    """Finite numbers x with `low <= x < high`; None is no bound."""

    low: float | None = None
    high: float | None = None


class Outside(msgspec.Struct, frozen=True):
    """Finite numbers x with `x < low` or `x > high`."""

    low: float
    high: float


class Texts(msgspec.Struct, frozen=True):
    """Values with one of these texts; with `others`, all values that have none of them and are neither null nor invalid."""

    texts: tuple[str, ...]
    others: bool = False


Values = Range | Outside | Texts | Literal["null", "invalid"]


class EventQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one model; None asks for all.

    `start <= ts < end`. `segment` is a segment's text. `column` and `values` go together: events whose value of the column is one of these. `label` asks for events with a label,
    without one, or with one that the prediction misses. `worst` puts the greatest loss first, and leaves out events without a loss. `as_of`: the events and labels that the log
    had taken by a time. `after` is the cursor that an answer gave.
    """

    model: str
    start: int | None = None
    end: int | None = None
    segment: str = "all"
    column: str | None = None
    values: Values | None = None
    version: str | None = None
    role: str | None = None
    label: Label | None = None
    order: Order = "newest"
    as_of: int | None = None
    limit: int = 100
    after: str | None = None


class EventCounts(NamedTuple):
    """How many events there are by the start of a slot, without empty ones; `estimated` from some of the events, because there are too many to look at all."""

    by_slot: Mapping[int, int]
    estimated: bool = False
