"""Windows of measures that take seconds of CPU are evaluated in the background, and nothing else waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from core import moment
from core.baseline.previous import Previous
from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from detectors.sample import Separated
from monitors.evaluation.background import Asked, Background, Lane, Rank
from monitors.evaluation.runner import MonitorRunner
from monitors.evaluation.watched import scope_of
from monitors.model import Model
from monitors.ownership.owner import Owner
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import START, predict

_ROWS = 60
_WATCH = Monitor(
    name="moved", model="", measure="drift.domain_classifier", window=Tumbling(moment.DAY), baseline=Previous(1), min_samples=1
)


@pytest.fixture
def gate(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The training of classifiers, which waits until the gate is open; every monitor of the model is watched beside it."""
    held = Gate()
    beside = Monitor(name="nulls", model=model, measure="quality.null_rate", columns=("x",), window=Tumbling(moment.DAY), min_samples=1)
    backend.monitors[model] = [msgspec.structs.replace(_WATCH, model=model), beside]
    owner = backend.owner(model)
    monkeypatch.setattr(owner._runner._evaluate, "_train", held)
    yield held
    held.open.set()
    nothing: Any = None
    for lane in {one._runner._evaluate._lane for one in (owner, backend.owner(model))}:
        lane.submit(Rank(True, 0), lambda: nothing).result(60)  # the last job: now no query is under way


class Gate:
    """Says that rows are as far apart as they are many."""

    def __init__(self) -> None:
        self.entered, self.open, self.calls = threading.Event(), threading.Event(), 0

    def __call__(self, _work: Any, /, *args: Any, **_more: Any) -> Any:
        self.entered.set()
        self.open.wait(120)
        self.calls += 1
        return Separated(1 - 1 / len(args[0]), np.zeros(args[0].shape[1]))


def send(backend: Backend, model: str, day: int, rows: int = _ROWS, kind: str = "r") -> None:
    for number in range(rows):
        predict(backend, model, 0, day * 86_400, f"{kind}{day}-{number}", day=day)
    backend.ingest(10_000_000)


def until(backend: Backend, model: str, there: Callable[[], bool]) -> None:
    """Step until something holds."""
    wait = threading.Event()
    for _ in range(100):
        backend.evaluate(model, silent=True)
        if there():
            return
        wait.wait(0.1)
    raise AssertionError


def values(backend: Backend, model: str, name: str) -> dict[int, Any]:
    table = Readings(backend.engine).newest(model, {name: 1}, (START, START + 9 * moment.DAY))[name]
    return {(row["window_start"] - START) // moment.DAY: row["value"] for row in table.to_pylist() if row["segment"] == "all"}


def test_other_readings_do_not_wait_and_quiet_does(backend: Backend, model: str, gate: Gate) -> None:
    """While a classifier is trained the others have their readings, the owner has nothing else to do, and says that it waits."""
    send(backend, model, 0)
    send(backend, model, 1)
    until(backend, model, lambda: len(values(backend, model, "nulls")) == 2)
    owner = backend.owner(model)
    until(backend, model, lambda: values(backend, model, "moved") == {0: None})
    until(backend, model, lambda: not backend.evaluate(model, silent=True))
    assert owner.waiting
    gate.open.set()
    until(backend, model, lambda: not owner.waiting)
    assert values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS)
    assert gate.calls == 1


def test_a_late_event_has_its_windows_evaluated_again(backend: Backend, model: str, gate: Gate) -> None:
    """Also if it comes while they are evaluated: what is stored in the end is of all rows."""
    owner = backend.owner(model)
    send(backend, model, 0)
    send(backend, model, 1)
    until(backend, model, lambda: owner.waiting)
    send(backend, model, 1, 3, kind="late")
    until(backend, model, lambda: values(backend, model, "nulls").get(1) is not None and owner.waiting)
    gate.open.set()
    until(backend, model, lambda: not owner.waiting)
    assert values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS + 3)
    send(backend, model, 0, 2, kind="later")
    until(backend, model, lambda: values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS + 5))


def test_what_was_not_stored_when_an_owner_ends_is_evaluated_by_the_next(backend: Backend, model: str, gate: Gate) -> None:
    """A window whose reading is stored and no longer true is not forgotten."""
    owner = backend.owner(model)
    gate.open.set()
    send(backend, model, 0)
    send(backend, model, 1)
    until(backend, model, lambda: len(values(backend, model, "moved")) == 2 and not owner.waiting)
    gate.open.clear()
    send(backend, model, 1, 3, kind="late")
    until(backend, model, lambda: owner.waiting)
    backend.evaluate(model, silent=True)
    backend.kill()
    gate.open.set()
    real = backend.owner(model)
    real._runner._evaluate._train = gate
    until(backend, model, lambda: values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS + 3) and not real.waiting)


def test_a_monitor_that_is_deleted_is_waited_for_no_more(backend: Backend, model: str, gate: Gate) -> None:
    """So the model becomes quiet."""
    send(backend, model, 0)
    send(backend, model, 1)
    owner = backend.owner(model)
    until(backend, model, lambda: owner.waiting)
    backend.monitors[model] = backend.monitors[model][1:]
    backend.evaluate(model, silent=True)
    assert not owner.waiting


def test_a_window_that_changes_while_it_is_computed_is_stored_and_computed_again(backend: Backend, model: str, gate: Gate) -> None:
    """Else one that changes oftener than it can be computed would never have a reading."""
    owner = backend.owner(model)
    send(backend, model, 0)
    send(backend, model, 1)
    until(backend, model, lambda: owner.waiting)
    assert gate.entered.wait(60)
    send(backend, model, 1, 3, kind="late")
    until(backend, model, lambda: any(asked.renew for asked in running(owner)))
    gate.open.set()
    until(backend, model, lambda: values(backend, model, "moved").get(1) == 1 - 1 / (2 * _ROWS))
    until(backend, model, lambda: not owner.waiting)
    assert values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS + 3)


def test_a_window_that_closed_in_silence_is_not_forgotten_when_silence_ends(backend: Backend, model: str, gate: Gate) -> None:
    """Events of other models end it; the watermark is that of this model's last event then."""
    owner = backend.owner(model)
    send(backend, model, 0)
    send(backend, model, 1)
    until(backend, model, lambda: owner.waiting)
    gate.open.set()
    for asked in running(owner):
        asked.frame.result(60)
    while backend.evaluate(model, silent=False):
        pass
    until(backend, model, lambda: not owner.waiting)
    assert values(backend, model, "moved")[1] == 1 - 1 / (2 * _ROWS)


def running(owner: Owner) -> list[Asked]:
    """What the owner has asked for."""
    return [asked for held in owner._runner._background._asked.values() for asked in held.values()]


KEY = ("w", 1, (1, 1))


def _same(job: Future[Any], _rank: Rank) -> Future[Any]:
    return job


def test_windows_keep_their_turn_however_often_they_are_touched() -> None:
    """Labels touch the newest windows in each step: a job that waits is neither put behind the others nor doubled."""
    made, background = list[Future[Any]](), Background()

    def make(_rank: Rank) -> Future[Any]:
        made.append(Future())
        return made[-1]

    def touch() -> None:
        for number in range(3):
            background.ask(KEY, (number, number + 1), make, ("all",), again=False, renewal=False)

    nothing: Any = None
    touch()
    for job in list(made):  # one is computed in each step, in which all are touched
        assert job.set_running_or_notify_cancel()
        touch()
        job.set_result(nothing)
    assert [window for window, _ in background.computed(KEY)] == [(0, 1), (1, 2), (2, 3)]
    assert len(made) == 3
    background.stored(KEY, (0, 1))  # it was touched while it was computed
    assert len(made) == 4
    assert [window for window, _ in background.computed(KEY)] == [(1, 2), (2, 3)]


def test_a_reading_that_is_made_again_keeps_no_other_from_being_stored() -> None:
    """Windows without a reading are stored in order all the same."""
    jobs, background = {number: Future[Any]() for number in range(4)}, Background()
    for number, job in jobs.items():
        background.ask(KEY, (number, number + 1), partial(_same, job), ("all",), again=False, renewal=number < 2)
    nothing: Any = None
    for number in (1, 3):
        jobs[number].set_result(nothing)
    assert [window for window, _ in background.computed(KEY)] == [(1, 2)]
    jobs[2].set_result(nothing)
    assert [window for window, _ in background.computed(KEY)] == [(1, 2), (2, 3), (3, 4)]
    assert background.ready


def test_monitors_take_turns_and_readings_are_made_again_last() -> None:
    """One whose few windows are touched again and again does not keep a long history from being computed."""
    lane, order, gate, nothing = Lane(), list[str](), threading.Event(), None

    def job(name: str) -> Callable[[], Any]:
        return lambda: order.append(name)

    def first() -> Any:
        gate.wait(60)
        return nothing

    lane.submit(Rank(False, 0), first)
    for number in range(3):
        lane.submit(Rank(True, number), job(f"again {number}"))
        lane.submit(Rank(False, number), job(f"history {number}"))

    def chain(number: int) -> Callable[[], Any]:
        """A window of another monitor that is asked for once the one before is computed."""

        def run() -> Any:
            order.append(f"new {number}")
            if number < 9:
                lane.submit(Rank(False, 1), chain(number + 1))

        return run

    lane.submit(Rank(False, 0), chain(0))
    gate.set()
    done = threading.Event()

    def last() -> Any:
        done.set()

    lane.submit(Rank(True, 0), last)
    assert done.wait(60)
    lane.close()
    assert order.index("history 2") < order.index("new 3")
    assert order[-3:] == ["again 0", "again 1", "again 2"]
    assert order.index("new 0") < order.index("history 1")


def test_a_label_makes_later_corrected_windows_again_beside_all_others(backend: Backend, model: str) -> None:
    """It teaches how late labels come. The step asks for these windows and goes on; what is stored in the end is what all windows together give."""
    params = {"of": "performance.accuracy", "learn": 30, "better": "more"}
    watched = Monitor(
        name="corrected", model=model, measure="performance.delay_corrected", params=params, window=Tumbling(moment.DAY), min_samples=1
    )
    beside = msgspec.structs.replace(watched, name="plain", measure="performance.accuracy", params={})
    backend.monitors[model], owner = [watched, beside], backend.owner(model)

    def label(day: int, numbers: range, later: int) -> None:
        rows = [{"prediction_id": f"r{day}-{number}", "model": model, "label": int(number % 3 > 0)} for number in numbers]
        ts = [(START + day * moment.DAY + (one % 7 + later) * moment.HOUR) // 1_000 for one in numbers]
        backend.append("labels", [row | {"ts": at} for row, at in zip(rows, ts, strict=True)])
        backend.ingest(10_000_000)

    def there() -> bool:
        return not owner.waiting and not backend.evaluate(model, silent=True)

    for day in range(3):
        send(backend, model, day)
        label(day, range(40), 2)
    until(backend, model, there)
    before = values(backend, model, "corrected")
    label(0, range(40, 60, 3), 14)  # of one class, and late
    label(0, range(41, 60, 3), 14)
    until(backend, model, lambda: owner.waiting)
    assert values(backend, model, "plain")[0] == pytest.approx((26 + 14) / 54)
    until(backend, model, there)
    found, scope = values(backend, model, "corrected"), scope_of(watched, Model(backend.contracts[model], None), ("all",))
    windows = watched.window.between(START, START + 2 * moment.DAY)
    together = owner._runner._evaluate(watched, windows, owner._runner._evaluate.reads(scope))
    assert [found[day] for day in range(3)] == together.value[:, 0, 0].tolist()
    assert all(found[day] != before[day] for day in range(3))


def test_readings_that_are_made_again_leave_the_core_to_others_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one the thread rests, but for a window without a reading, and not when it is to end."""
    monkeypatch.setattr("monitors.evaluation.background._REST", 1e9)
    lane, nothing = Lane(), None

    def work() -> Any:
        return sum(range(100_000)) and nothing

    lane.submit(Rank(True, 0), work).result(60)
    again = lane.submit(Rank(True, 0), work)
    lane.submit(Rank(False, 0), work).result(60)
    lane.close()
    assert not again.done()


def test_an_owner_that_leaves_its_model_has_nothing_computed_any_more() -> None:
    """But a window that has begun."""
    jobs, nothing = [Future[Any]() for _ in range(3)], cast("Any", None)
    owner, runner = Owner.__new__(Owner), MonitorRunner(*[nothing] * 6)
    owner._runner = runner
    for day, job in enumerate(jobs):
        runner._background.ask(("m", 1, (1, 0)), (day, day + 1), lambda _, job=job: job, ("all",), again=False, renewal=bool(day))  # type: ignore[misc]
    jobs[0].set_running_or_notify_cancel()
    owner.close()
    assert [job.cancelled() for job in jobs] == [False, True, True]
    assert not owner.waiting


def test_a_window_that_failed_keeps_the_later_ones() -> None:
    """They are computed once, and stored after it: it holds no turn and no quiet until it is asked for again."""
    jobs, background = [Future[Any]() for _ in range(4)], Background()
    nothing: Any = None

    def ask(number: int, job: Future[Any]) -> None:
        background.ask(KEY, (number, number + 1), partial(_same, job), ("all",), again=False, renewal=False)

    for number in range(3):
        ask(number, jobs[number])
    for number in (1, 2):
        jobs[number].set_result(nothing)
    assert (background.ready, background.waiting, background.monitors) == (False, True, {"w"})
    jobs[0].set_exception(ValueError())
    assert background.ready
    background.failed(KEY, (0, 1))
    assert (background.ready, background.waiting, background.monitors) == (False, False, set())
    assert background.computed(KEY) == []
    existing = Spans.of([(number, number + 1) for number in range(3)])
    assert background.windows(KEY, existing, ("all",)).pairs() == [(1, 2), (2, 3)]
    ask(0, jobs[3])
    assert (background.ready, background.waiting, background.monitors) == (False, True, {"w"})
    jobs[3].set_result(nothing)
    assert [window for window, _ in background.computed(KEY)] == [(0, 1), (1, 2), (2, 3)]


def test_a_window_whose_training_fails_is_tried_again_and_no_later_one_is_lost(backend: Backend, model: str, gate: Gate) -> None:
    """The later windows have their readings after it."""
    owner, broken = backend.owner(model), threading.Event()

    def train(work: Any, /, *args: Any, **more: Any) -> Any:
        gate.open.wait(120)
        if not broken.is_set():
            broken.set()
            raise ValueError
        return gate(work, *args, **more)

    owner._runner._evaluate._train = train
    for day in range(4):
        send(backend, model, day)
    until(backend, model, lambda: len(running(owner)) == 4)
    gate.open.set()
    until(backend, model, lambda: "moved" in owner.counts.failed)
    until(backend, model, lambda: len(values(backend, model, "moved")) == 4 and not owner.waiting)
    assert [values(backend, model, "moved")[day] for day in (1, 2, 3)] == [1 - 1 / (2 * _ROWS)] * 3
