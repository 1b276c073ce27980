"""Windows and baselines of every kind, evaluated over panes."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment
from core.baseline.kind import Baseline
from core.clock import ManualClock, SystemClock
from core.window.kind import Window
from core.window.sliding import Sliding
from storage.facts.readings import Readings
from tests.acceptance.spine import Spine, monitors
from tests.ownership.scene import START, predict, settle

HOURS = [0, 1, 5, 30, 31, 50, 75]  # of events


def readings(spine: Spine, model: str, window: Window, baseline: Baseline | None = None) -> dict[tuple[int, int], tuple[int, Any]]:
    """N of both sides by window, in hours after the start: of a history, of which one event comes late."""
    spine.clock = ManualClock(SystemClock().now())
    shared = msgspec.structs.replace(monitors(model)[1], name="w", segments=("all",), columns=("x",), warn=None)
    spine.monitors[model] = [msgspec.structs.replace(shared, window=window, baseline=baseline)]
    for late in (False, True):
        for hour in HOURS:
            if (hour == 31) is late:
                predict(spine, model, 1, hour, f"{hour}", hour=hour)
        settle(spine, model)
    rows = Readings(spine.engine).newest(model, {"w": 1}, (0, moment.LATEST))["w"].to_pylist()
    places = [tuple((row[end] - START) // moment.HOUR for end in ("window_start", "window_end")) for row in rows]
    return {(start, end): (row["n_target"], row["n_baseline"]) for (start, end), row in zip(places, rows, strict=True)}


def held(start: int, end: int) -> int:
    return sum(start <= hour < end for hour in HOURS)


def test_a_sliding_window_holds_what_came_in_it(spine: Spine, model: str) -> None:
    """A day every six hours, from the first that holds an event to the last; an event that comes late changes the four that hold it."""
    found = readings(spine, model, Sliding(moment.DAY, 6 * moment.HOUR))
    assert found == {(start, start + 24): (held(start, start + 24), None) for start in range(-18, 78, 6)}
