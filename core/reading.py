"""Readings: one measure of one column of one segment over one window, with its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, get_origin

import msgspec


class Verdict(StrEnum):
    """The verdict of a reading."""

    OK = "ok"
    WARN = "warn"
    CRITICAL = "critical"
    INSUFFICIENT = "insufficient"
    NODATA = "nodata"
    IMMATURE = "immature"
    NOT_ESTIMABLE = "not_estimable"
    ASSUMPTIONS_BROKEN = "assumptions_broken"
    READY = "ready"
    KEEP_WAITING = "keep_waiting"
    WORSE = "worse"


# Verdicts on a value, as texts.
JUDGED = tuple(one.value for one in (Verdict.OK, Verdict.WARN, Verdict.CRITICAL, Verdict.ASSUMPTIONS_BROKEN))
# In place of a verdict, in the store only: there is no such reading any more, for its window or segment has lost its only events.
WITHDRAWN = "withdrawn"


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One reading. Times are microseconds; `column` is "" for the whole model; `threshold` is as the monitor gives it.

    `value` is None where there is none; then `reason` says why. `monitor_version` is the version of the monitor's definition,
    `contract` the version of the model's contract under which it was taken.
    """

    monitor: str
    model: str
    version: str = "all"
    measure: str
    params: dict[str, Any] = {}
    baseline: str | None = None
    column: str = ""
    segment: str = "all"
    window_start: int
    window_end: int
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    baseline_value: float | None = None
    n_target: int = 0
    n_baseline: int | None = None
    n_effective: float | None = None
    threshold: dict[str, Any] = {}
    verdict: Verdict
    reason: str | None = None
    revision: int = 1
    evidence: dict[str, Any] = {}
    monitor_version: int = 1
    contract: int = 1


WithEvidence = Callable[[Sequence[Reading]], Sequence[Reading]]
"""Gives readings that came without their evidence again, with it."""


class Bare(list[Reading]):
    """Readings without their evidence; `with_evidence` makes it for those that need it."""

    def __init__(self, readings: Iterable[Reading], with_evidence: WithEvidence) -> None:
        super().__init__(readings)
        self.with_evidence = with_evidence


# Every list of a reading's fields is one of these, in the order of the struct.
FIELDS: tuple[str, ...] = Reading.__struct_fields__
TIMES = ("window_start", "window_end")
NUMBERS = tuple(field.name for field in msgspec.structs.fields(Reading) if field.type == float | None)
DOCUMENTS = tuple(field.name for field in msgspec.structs.fields(Reading) if get_origin(field.type) is dict)
SHOWN = tuple(name for name in FIELDS if name not in {"monitor_version", "contract"})  # fields that the API gives


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which readings are asked for; None asks for all. `segment` is a segment's text, or a grouping (`carrier`) for every value of it.

    `columns`: only these columns, all if it is empty. `start <= window_start < end`; `closes`: only windows that end then. `newest`: only the highest revision of each. `after` is the cursor that an answer gave. `definition` asks
    for readings of an older definition: the versions of the monitor and of the contract; None for those that hold. `as_of` asks for what was known at that time, in
    microseconds of the wall clock: readings that had been evaluated by then, of the definitions of then.
    """

    model: str | None = None
    monitor: str | None = None
    measure: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    segment: str | None = None
    start: int | None = None
    end: int | None = None
    closes: int | None = None
    newest: bool = True
    limit: int = 1_000
    after: str | None = None
    definition: tuple[int, int] | None = None
    as_of: int | None = None
