"""Monitors: what is watched, against what, and when it is too much.

The grammar that people write is read by `monitors.definition.grammar`; this is what comes out of it. A monitor is frozen once it has a
version; a changed definition is a new version of the same name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import moment
from core.baseline.kind import Baseline
from core.described import Described
from core.window.kind import Window
from core.window.tumbling import Tumbling


class Severity(StrEnum):
    """Whom an episode may wake: report < ticket < page."""

    REPORT = "report"
    TICKET = "ticket"
    PAGE = "page"

    @property
    def rank(self) -> int:
        """0 for report, 1 for ticket, 2 for page."""
        return list(Severity).index(self)


class Monitor(Described, frozen=True, kw_only=True):
    """A monitor's definition.

    `columns` is empty for measures of the whole model, and for "all features". `segments` is a list of groupings such as `all`, `carrier`
    or `carrier*origin`; `all` is always among them. `warn` and `critical` are as written: a number, `{"below": x}`, `{"above": x}` or None. `persist` is (m, n): m of n disjoint windows.
    One that is not `enabled` is paused: nothing of it is evaluated, and what it has left stays as it is.
    """

    name: str
    model: str
    measure: str
    params: dict[str, Any] = {}  # noqa: RUF012 - a struct's: each has its own
    columns: tuple[str, ...] = ()
    segments: tuple[str, ...] = ("all",)
    window: Window = Tumbling(moment.DAY)
    baseline: Baseline | None = None
    version: str | None = None  # of the model; None pools all
    warn: float | dict[str, float] | None = None
    critical: float | dict[str, float] | None = None
    min_samples: int = 200
    persist: tuple[int, int] = (1, 1)
    severity: Severity = Severity.TICKET
    enabled: bool = True
    revision: int = 1  # of the definition: counts every change
    since: int = 0  # the revision that last changed what is evaluated or judged; 0: this one

    @property
    def threshold(self) -> dict[str, Any]:
        """What a reading says of its threshold."""
        return {"warn": self.warn, "critical": self.critical}

    @property
    def evaluated_revision(self) -> int:
        """The revision that readings and rules carry. Words about a monitor, and a pause, leave it as it is."""
        return self.since or self.revision

    def evaluates_like(self, other: Monitor) -> bool:
        """Whether the same is evaluated and judged, whatever is said about it, and whether or not it is paused."""
        aside: dict[str, Any] = {**other.words, "enabled": other.enabled, "revision": other.revision, "since": other.since}
        return msgspec.structs.replace(self, **aside) == other
