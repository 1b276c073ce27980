"""Windows and baselines of every kind, evaluated over panes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core import moment
from core.baseline.expanding import Expanding
from core.baseline.fixed import Fixed
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.rolling import Rolling
from core.baseline.rows import Role, Version
from core.baseline.same_period import SamePeriod
from core.baseline.same_weekday import SameWeekday
from core.calendar import Calendar, Unit
from core.clock import ManualClock, SystemClock
from core.span import Spans
from core.window.kind import Window
from core.window.period import Period
from core.window.sliding import Sliding
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling
from storage.facts.panes import Panes
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend, Killed, monitors
from tests.ownership.scene import CLOCK, START, counts, label, predict, settle

HOURS = [0, 1, 5, 30, 31, 50, 75]  # of events


def readings(
    backend: Backend, model: str, window: Window, baseline: Baseline | None = None, exclude: tuple[tuple[int, int], ...] = ()
) -> dict[tuple[int, int], tuple[int, Any]]:
    """The sample sizes of both sides by window, in hours after the start, for a history with one late event."""
    backend.clock = ManualClock(SystemClock().now())
    shared = msgspec.structs.replace(monitors(model)[1], name="w", segments=("all",), columns=("x",), warn=None)
    backend.monitors[model] = [msgspec.structs.replace(shared, window=window, baseline=baseline, exclude=exclude)]
    for late in (False, True):
        for hour in HOURS:
            if (hour == 31) is late:
                predict(backend, model, 1, hour, f"{hour}", hour=hour)
        settle(backend, model)
    rows = Readings(backend.engine).newest(model, {"w": 1}, (0, moment.LATEST))["w"].to_pylist()
    places = [tuple((row[end] - START) // moment.HOUR for end in ("window_start", "window_end")) for row in rows]
    return {(start, end): (row["n_target"], row["n_baseline"]) for (start, end), row in zip(places, rows, strict=True)}


def revisions_of(backend: Backend, model: str) -> dict[tuple[int, int], int]:
    """The revision of the reading of each window."""
    rows = Readings(backend.engine).newest(model, {"w": 1}, (0, moment.LATEST))["w"].to_pylist()
    return {(row["window_start"], row["window_end"]): row["revision"] for row in rows}


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


NEW_YORK = Calendar("America/New_York", offset=2 * moment.HOUR)
CALENDAR = [Period(unit, NEW_YORK) for unit in (Unit.DAY, Unit.WEEK, Unit.MONTH)] + [
    ToDate(unit, NEW_YORK) for unit in (Unit.WEEK, Unit.YEAR)
]


@pytest.mark.parametrize(
    ("window", "baseline"),
    [
        *((window, Previous()) for window in CALENDAR),
        (CALENDAR[0], Expanding()),
        (ToDate(Unit.MONTH), Expanding()),
        (Tumbling(6 * moment.HOUR), Rolling(moment.DAY)),
        (Tumbling(6 * moment.HOUR), Previous(3)),
        (Tumbling(6 * moment.HOUR), Fixed(START, START + 6 * moment.HOUR)),
        (Sliding(moment.DAY, 6 * moment.HOUR), Previous(2)),
        (CALENDAR[0], SameWeekday(2)),
        (CALENDAR[1], SamePeriod(Unit.YEAR)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_late_event_changes_the_windows_that_hold_it_and_the_baselines_that_pool_it(
    backend: Backend, model: str, window: Window, baseline: Baseline
) -> None:
    """Both sides hold what came in them, and exactly these windows have another revision."""
    found = readings(backend, model, window, baseline)
    spans = Spans.of(sorted((START + start * moment.HOUR, START + end * moment.HOUR) for start, end in found))
    parts = [part.pairs() for part in baseline.spans(spans, window)]
    hours = [START + hour * moment.HOUR for hour in HOURS]
    late = START + 31 * moment.HOUR
    revisions = revisions_of(backend, model)
    assert spans.pairs() == window.between(hours[0], hours[-1]).pairs()
    for place, (start, end) in enumerate(spans.pairs()):
        pool = [part[place] for part in parts]
        n = sum(low <= time < high for low, high in pool for time in hours)
        key = ((start - START) // moment.HOUR, (end - START) // moment.HOUR)
        assert found[key] == (sum(start <= time < end for time in hours), n)
        touched = start <= late < end or any(low <= late < high for low, high in pool)
        assert revisions[start, end] == (2 if touched else 1), key


def test_what_is_excluded_is_in_no_baseline(backend: Backend, model: str) -> None:
    """Also where it lies in the middle; a late event in it changes no baseline."""
    excluded = ((START + 5 * moment.HOUR, START + 6 * moment.HOUR), (START + 30 * moment.HOUR, START + 32 * moment.HOUR))
    found = readings(backend, model, Tumbling(6 * moment.HOUR), Expanding(), excluded)
    left = [hour for hour in HOURS if hour not in (5, 30, 31)]
    assert found == {(start, start + 6): (held(start, start + 6), sum(hour < start for hour in left)) for start in range(0, 78, 6)}
    assert {start for (start, _), revision in revisions_of(backend, model).items() if revision == 2} == {START + 30 * moment.HOUR}


@pytest.mark.parametrize(("baseline", "expected"), [(Version("2"), 1), (Role("shadow"), 2)])
def test_a_window_is_compared_with_other_rows_of_its_own(backend: Backend, model: str, baseline: Baseline, expected: int) -> None:
    """With those of a version, or of a role."""
    predict(backend, model, 1, 1, "one", hour=1)
    predict(backend, model, 1, 2, "two", hour=2, version="2", role="shadow")
    predict(backend, model, 1, 3, "three", hour=3, role="shadow")
    shared = msgspec.structs.replace(monitors(model)[1], name="w", segments=("all",), columns=("x",), warn=None)
    backend.monitors[model] = [msgspec.structs.replace(shared, window=Tumbling(moment.DAY), baseline=baseline, version="1")]
    settle(backend, model)
    (row,) = Readings(backend.engine).newest(model, {"w": 1}, (0, moment.LATEST))["w"].to_pylist()
    assert (row["n_target"], row["n_baseline"]) == (2, expected)
