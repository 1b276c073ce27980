"""Monitors: what is watched, against what, and when it is too much.

The grammar that people write is read by `monitors.grammar`; this is what comes out of it. A monitor is frozen once it has a
version; a changed definition is a new version of the same name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import moment
from core.baseline.kind import Baseline
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


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor's definition.

    `columns` is empty for measures of the whole model, and for "all features". `segments` is a list of groupings such as `all`, `carrier`
    or `carrier*origin`; `all` is always among them. `warn` and `critical` are as written: a number, `{"below": x}`, `{"above": x}` or None. `persist` is (m, n): m of n disjoint windows.
    """

    name: str
    model: str
    measure: str
    params: dict[str, Any] = {}
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
    revision: int = 1  # of the definition

    @property
    def threshold(self) -> dict[str, Any]:
        """What a reading says of its threshold."""
        return {"warn": self.warn, "critical": self.critical}
