"""Windows and baselines of every kind, evaluated over panes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core import moment
from core.baseline.kind import Baseline
from core.clock import ManualClock, SystemClock
from core.window.kind import Window
from core.window.sliding import Sliding
from storage.facts.panes import Panes
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend, Killed, monitors
from tests.ownership.scene import CLOCK, START, counts, label, predict, settle

HOURS = [0, 1, 5, 30, 31, 50, 75]  # of events


def readings(backend: Backend, model: str, window: Window, baseline: Baseline | None = None) -> dict[tuple[int, int], tuple[int, Any]]:
    """The sample sizes of both sides by window, in hours after the start, for a history with one late event."""
    backend.clock = ManualClock(SystemClock().now())
    shared = msgspec.structs.replace(monitors(model)[1], name="w", segments=("all",), columns=("x",), warn=None)
    backend.monitors[model] = [msgspec.structs.replace(shared, window=window, baseline=baseline)]
    for late in (False, True):
        for hour in HOURS:
            if (hour == 31) is late:
                predict(backend, model, 1, hour, f"{hour}", hour=hour)
        settle(backend, model)
    rows = Readings(backend.engine).newest(model, {"w": 1}, (0, moment.LATEST))["w"].to_pylist()
    places = [tuple((row[end] - START) // moment.HOUR for end in ("window_start", "window_end")) for row in rows]
    return {(start, end): (row["n_target"], row["n_baseline"]) for (start, end), row in zip(places, rows, strict=True)}


def held(start: int, end: int) -> int:
    return sum(start <= hour < end for hour in HOURS)


def test_a_sliding_window_holds_what_came_in_it(backend: Backend, model: str) -> None:
    """Windows of a day begin every six hours, from the first that holds an event to the last. A late event changes the four windows that hold it."""
    found = readings(backend, model, Sliding(moment.DAY, 6 * moment.HOUR))
    assert found == {(start, start + 24): (held(start, start + 24), None) for start in range(-18, 78, 6)}


def test_panes_of_a_batch_that_is_not_committed_make_no_model_live(backend: Backend, model: str) -> None:
    """If ingest is killed before the batch is committed, its panes exist and it is unknown when its events came. So there is no window after the last event."""
    label(backend, model)
    backend.ingest(1)
    predict(backend, model, 0, 1)
    backend.fuse.arm(6, "before")  # after the intent, dead letters, raw events, labels and panes
    with pytest.raises(Killed):
        backend.ingest(1)
    backend.kill()
    assert Panes(backend.engine).slots(backend.contracts[model])[1].tolist() == [1]
    assert any(not backend.evaluate(model, silent=True) for _ in range(6))
    settle(backend, model)
    assert counts(backend, model) == {(0, "all"): 1, (0, "c=a"): 1}


def test_windows_after_the_last_event_go_when_a_model_is_live_no_more(backend: Backend, model: str) -> None:
    """While events come when they happen, windows without rows exist until now. Old events that come later show that the model is not live."""
    backend.clock = ManualClock(CLOCK)
    predict(backend, model, 1, 1, ts=CLOCK // 1_000)
    backend.clock.advance(3 * moment.DAY)
    settle(backend, model)
    assert sorted({day for day, _ in counts(backend, model)}) == [100, 101, 102]
    predict(backend, model, 1, 2 * 86_400, "old", ts=(CLOCK - moment.DAY) // 1_000)
    settle(backend, model)
    assert sorted({day for day, _ in counts(backend, model)}) == [99, 100]
