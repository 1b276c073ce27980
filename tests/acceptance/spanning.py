"""Monitors whose windows overlap, or whose baselines pool many windows: one event is in many of both."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment
from core.baseline.expanding import Expanding
from core.baseline.previous import Previous
from core.baseline.rolling import Rolling
from core.calendar import Calendar, Unit
from core.monitor import Monitor
from core.window.period import Period
from core.window.sliding import Sliding
from core.window.to_date import ToDate

_SPANS: dict[str, dict[str, Any]] = {
    "to date": {
        "window": ToDate(Unit.WEEK, Calendar("America/New_York", week_start="saturday")),
        "baseline": Expanding(),
        "columns": ("x",),
    },
    "sliding": {"window": Sliding(2 * moment.DAY, 12 * moment.HOUR), "baseline": Rolling(2 * moment.DAY), "columns": ("x",)},
    "pooled": {"window": Period(Unit.DAY, Calendar("Europe/Rome")), "baseline": Previous(2), "measure": "performance.accuracy"},
}


def spanning(shared: Monitor) -> list[Monitor]:
    """These monitors, in all else like `shared`."""
    return [msgspec.structs.replace(shared, **{"measure": "drift.psi", **more, "name": name}) for name, more in _SPANS.items()]
