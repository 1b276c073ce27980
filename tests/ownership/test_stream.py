"""Measures of how events come, from event to reading: in any order, each time with the value of the whole."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core import moment
from core.clock import ManualClock
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend, Killed
from tests.ownership.scene import CLOCK, START, predict, settle


def watch(backend: Backend, model: str, measure: str, **more: Any) -> None:
    """Watch a model by one monitor, `m`, in windows of a day."""
    shared = Monitor(name="m", model=model, measure=measure, window=Tumbling(moment.DAY), min_samples=1)
    backend.monitors[model] = [msgspec.structs.replace(shared, **more)]


def values(backend: Backend, model: str, since: int) -> dict[int, tuple[float | None, int]]:
    """Value and n of the readings, by the day of the window after a time."""
    settle(backend, model)
    rows = Readings(backend.engine).newest(model, {"m": 1}, (0, moment.LATEST))["m"].to_pylist()
    return dict(sorted(((row["window_start"] - since) // moment.DAY, (row["value"], row["n_target"])) for row in rows))


def labels(backend: Backend, model: str, day: float, *keys: str, partition: int = 0, **more: Any) -> None:
    """Send labels whose time is so many days after `START`."""
    ts = int(START + day * moment.DAY) // 1_000
    rows = [{"prediction_id": key, "model": model, "label": 1, "ts": ts, **more} for key in keys]
    backend.append("labels", rows, partition, CLOCK)


def test_a_prediction_is_late_by_the_logs_time(backend: Backend, model: str) -> None:
    """More than an hour by default. A copy that came later, in another partition, makes nothing late, and counts once."""
    watch(backend, model, "quality.late_rate", params={"after": "1h"})
    at = CLOCK // 1_000
    for key, seconds in (("a", 0), ("b", 3_600), ("c", 3_601), ("d", 90_000)):
        predict(backend, model, 0, seconds, key, ts=at)
    predict(backend, model, 1, 200_000, "a", ts=at)
    assert values(backend, model, CLOCK)[0] == (0.5, 4)
    predict(backend, model, 1, 300_000, "e", ts=at)
    assert values(backend, model, CLOCK)[0] == (0.6, 5)


def test_a_label_is_an_orphan_until_its_prediction_comes(backend: Backend, model: str) -> None:
    """It counts in the window of its own time, and that window is evaluated again although none of its predictions changed."""
    watch(backend, model, "quality.orphan_label_rate")
    for day, key in enumerate("abc"):
        predict(backend, model, 0, day, key, day=day)
    labels(backend, model, 1.5, "a", "b", "x", "y")
    assert values(backend, model, START) == {0: (None, 0), 1: (0.5, 4), 2: (None, 0)}
    predict(backend, model, 2, 9, "x", day=0)
    assert values(backend, model, START) == {0: (None, 0), 1: (0.25, 4), 2: (None, 0)}


def test_the_label_that_holds_says_in_which_window_it_counts(backend: Backend, model: str) -> None:
    """A correction with a later time moves it, one with an earlier time does not, and a retracted label is none; whichever partition they come in."""
    watch(backend, model, "quality.orphan_label_rate")
    for day, key in enumerate("abc"):
        predict(backend, model, 0, day, key, day=day)
    labels(backend, model, 1.5, "a", "x", "y")
    assert values(backend, model, START)[1] == (2 / 3, 3)
    labels(backend, model, 2.5, "x", partition=1)
    labels(backend, model, 0.5, "a", partition=2)
    labels(backend, model, 1.6, "y", label=None, deleted=True)
    assert values(backend, model, START) == {0: (None, 0), 1: (0.0, 1), 2: (1.0, 1)}


def test_coverage_waits_for_labels(backend: Backend, model: str) -> None:
    """With `wait` a window is evaluated so long after its end, and then with every later label."""
    watch(backend, model, "quality.label_coverage", params={"wait": "2d"})
    predict(backend, model, 0, 0, "a", day=0)
    predict(backend, model, 0, 1, "b", day=0)
    predict(backend, model, 0, 2, "c", day=2)
    backend.ingest(1_000_000)
    while backend.evaluate(model, silent=False):
        pass
    held = Readings(backend.engine)
    assert held.newest(model, {"m": 1}, (0, moment.LATEST))["m"].num_rows == 0
    predict(backend, model, 0, 3, "d", day=3)
    backend.ingest(1_000_000)
    while backend.evaluate(model, silent=False):
        pass
    rows = held.newest(model, {"m": 1}, (0, moment.LATEST))["m"].to_pylist()
    assert [(row["window_start"], row["value"], row["n_target"]) for row in rows] == [(START, 0.0, 2)]
    labels(backend, model, 9, "a")
    assert values(backend, model, START)[0] == (0.5, 2)


def test_a_silent_model_is_told_by_the_clock(backend: Backend, model: str) -> None:
    """Without any event the time since the last one grows, hour by hour, and reaches the threshold. Other models may go on."""
    watch(backend, model, "quality.freshness", window=Tumbling(moment.HOUR), warn=7_200, critical=10_800)
    backend.clock = ManualClock(CLOCK)
    predict(backend, model, 0, 1, "a", ts=(CLOCK + 30 * moment.MINUTE) // 1_000)
    backend.ingest(1_000_000)
    committed = backend.committed(model)
    assert committed is not None
    owner, found = backend.owner(model), list[tuple[float, str]]()
    for hours in range(5):
        until = CLOCK + hours * moment.HOUR
        for _ in range(3):  # events of other models come: it is not silent everywhere, but all until then is committed
            backend.step(owner, model, committed._replace(silent_until=until), silent=False)
        rows = Readings(backend.engine).newest(model, {"m": 1}, (0, moment.LATEST))["m"].sort_by("window_start").to_pylist()
        found = [(row["value"], row["verdict"]) for row in rows]
        assert len(found) == hours
    assert found == [(1_800.0, "ok"), (5_400.0, "ok"), (9_000.0, "warn"), (12_600.0, "critical")]


def test_a_late_event_changes_the_silent_windows_after_it(backend: Backend, model: str) -> None:
    """They have no rows, and their last event is another one now."""
    watch(backend, model, "quality.freshness")
    for day in (0, 5):
        predict(backend, model, 0, day, str(day), day=day)
    assert [value for value, _ in values(backend, model, START).values()] == [86_400.0 * (day + 1) for day in range(5)] + [86_400.0]
    predict(backend, model, 1, 9, "late", day=1, hour=12)
    predict(backend, model, 1, 10, "later", day=3)
    expected = [86_400.0, 43_200.0, 129_600.0, 86_400.0, 172_800.0, 86_400.0]
    assert [value for value, _ in values(backend, model, START).values()] == expected


def test_copies_count_at_their_own_time_however_they_are_found(backend: Backend, model: str) -> None:
    """Dropped at once, in a request or in a later batch; or, in another partition, found by the audit. A copy without a rival in its window makes that no window."""
    watch(backend, model, "quality.duplicate_rate")
    for day, key in enumerate("abcd"):
        predict(backend, model, 0, day, key, day=day)
    assert values(backend, model, START) == dict.fromkeys(range(4), (0.0, 1))
    predict(backend, model, 0, 10, "a", day=0)
    predict(backend, model, 0, 11, "a", day=2, prediction=0)
    predict(backend, model, 1, 12, "b", day=1)
    predict(backend, model, 2, 13, "b", day=2)
    predict(backend, model, 0, 14, "c", day=9)
    found = values(backend, model, START)
    assert found == {0: (0.5, 2), 1: (0.5, 2), 2: (2 / 3, 3), 3: (0.0, 1)}
    predict(backend, model, 1, 15, "e", day=2)
    assert values(backend, model, START) == found | {2: (0.5, 4)}


def test_a_batch_that_is_written_again_counts_its_copies_once(backend: Backend, model: str) -> None:
    """Killed before its row in `batches` and after it."""
    watch(backend, model, "quality.duplicate_rate")
    predict(backend, model, 0, 1, "a")
    settle(backend, model)
    for number, writes in enumerate((5, 6), 1):
        predict(backend, model, 0, 1 + number, "a")
        backend.fuse.arm(writes, "after")
        with pytest.raises(Killed):
            backend.ingest(1_000_000)
        backend.kill()
        settle(backend, model)
        assert values(backend, model, START) == {0: (number / (number + 1), number + 1)}


def test_rejected_rows_count_when_the_log_took_them(backend: Backend, model: str) -> None:
    """Predictions and labels without id, time or value, whatever their `ts` says; a batch of nothing else evaluates its window again."""
    watch(backend, model, "quality.rejected_rate")
    backend.clock = ManualClock(CLOCK + 3 * moment.DAY)
    for day in range(3):
        predict(backend, model, 0, day * 86_400, str(day), ts=(CLOCK + day * moment.DAY) // 1_000)
    assert values(backend, model, CLOCK) == dict.fromkeys(range(3), (0.0, 1))
    wrong: list[dict[str, Any]] = [
        {"model": model, "ts": 5, "features": {}},
        {"prediction_id": "x", "model": model, "ts": "soon", "prediction": 1},
    ]
    backend.append("predictions", wrong, 1, CLOCK + moment.DAY + 1)
    backend.append("predictions", [{"prediction_id": "y", "model": "nobody", "ts": 5}], 1, CLOCK + moment.DAY + 2)
    assert values(backend, model, CLOCK) == {0: (0.0, 1), 1: (2 / 3, 3), 2: (0.0, 1)}
    backend.append("labels", [{"prediction_id": "0", "model": model, "label": None}], 2, CLOCK + 2 * moment.DAY)
    assert values(backend, model, CLOCK) == {0: (0.0, 1), 1: (2 / 3, 3), 2: (0.5, 2)}
    labels(backend, model, 3, "0", "1", "2")
    assert values(backend, model, CLOCK) == {0: (0.0, 4), 1: (2 / 3, 3), 2: (0.5, 2)}


def test_a_model_of_which_nothing_can_be_used_has_no_windows(backend: Backend, model: str) -> None:
    """It is not live, and its owner finds nothing to evaluate."""
    watch(backend, model, "quality.rejected_rate")
    backend.append("predictions", [{"model": model, "ts": 5}], 0, CLOCK)
    assert values(backend, model, CLOCK) == {}
