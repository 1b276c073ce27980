"""Which readings the alerts get, and what happens to monitors whose queries the stores refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

import msgspec
import pytest

from core import moment
from core.clock import ManualClock, SystemClock
from core.contract import Contract
from core.episode import Cause, DeliveryState, State
from core.error import Retryable
from core.monitor import Monitor
from core.reading import Reading
from core.span import Spans
from monitors.evaluation import runner
from monitors.evaluation import told as told_to_alerts
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import Frame
from monitors.evidence.reads import Reads
from tests.acceptance.backend import Backend, monitors
from tests.alerts.sample import DESTINATION
from tests.ownership.scene import START, counts, predict, settle


class Ear:
    """Passes calls on to the alerts, and records how many readings each call brought."""

    def __init__(self, alerts: Any) -> None:
        self.alerts, self.portions = alerts, list[int]()

    def observe(self, monitor: Monitor, readings: Sequence[Reading], fence: tuple[str, int], **about: Any) -> object:
        """Pass it on."""
        return self.alerts.observe(monitor, readings, fence, **about)

    def observe_all(self, given: Sequence[tuple[Monitor, Sequence[Reading]]], fence: tuple[str, int], came: Any = ()) -> object:
        """Pass it on, and record it."""
        self.portions.append(sum(len(readings) for _, readings in given))
        return self.alerts.observe_all(given, fence, came)


class Refusing:
    """An evaluation in which the store refuses some monitors; `then` is called at each refusal."""

    def __init__(self, evaluate: Evaluate, *refused: str, then: Callable[[], None] = lambda: None) -> None:
        self.refused, self._evaluate, self._then = set(refused), evaluate, then
        self.reads, self.early, self.forget, self.relearned = evaluate.reads, evaluate.early, evaluate.forget, evaluate.relearned
        self.calibrate = evaluate.calibrate

    def __call__(self, monitor: Monitor, windows: Spans, reads: Reads, early: Spans | None = None) -> Frame:
        """The readings, unless they are refused."""
        if monitor.name in self.refused:
            self._then()
            raise Retryable("MEMORY_LIMIT_EXCEEDED")
        return self._evaluate(monitor, windows, reads, early)


def told(backend: Backend, model: str) -> list[tuple[Any, ...]]:
    """The episodes of a model and their timelines, without what differs between models."""
    found = []
    for episode in backend.control.episodes(model=model)[0]:
        timeline = tuple((entry.at, entry.after, entry.level, entry.reason) for entry in backend.control.transitions(episode.id))
        found.append((episode.monitor, episode.column, episode.segment, episode.started_at, episode.ended_at, episode.state, timeline))
    return sorted(found, key=str)


def test_alerts_take_readings_in_portions(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However readings are divided into portions, episodes and timelines are those of one portion, also with withdrawn windows."""
    other = f"{model}-whole"
    backend.add(other)
    ears = {}
    for name, portion in ((other, 10_000), (model, 3)):
        monkeypatch.setattr(told_to_alerts, "_PORTION", portion)
        ears[name] = Ear(backend.owner(name)._runner._alerts)
        monkeypatch.setattr(backend.owner(name)._runner, "_alerts", ears[name])
        monkeypatch.setattr(backend.owner(name)._audit, "_clock", float)  # looks take no time, so that both take as many steps
        for day in range(8):
            for key in "ab" if day in {2, 5} else "a":
                predict(backend, name, 1, 10, f"{day}{key}", day=day, features={"x": None if day % 3 else 1, "c": key})
        settle(backend, name)
        for day in (2, 5):  # nothing is left of the segment c=b
            predict(backend, name, 2, 1, f"{day}b", day=day, features={"x": 1, "c": "a"})
        settle(backend, name)
    assert max(ears[other].portions) > 3 == max(ears[model].portions)
    assert sum(ears[other].portions) == sum(ears[model].portions)
    assert told(backend, model) == told(backend, other) != []


def test_an_episode_ends_when_its_version_is_not_served_any_more(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is open as long as the version has events in the newest window; it ends when another version, which came later, has taken its place, once, whenever an owner is killed."""
    backend.monitors[model] = [msgspec.structs.replace(monitors(model)[0], segments=("all",), columns=("x",), version="1")]
    predict(backend, model, 1, 1, "a", features={"x": None, "c": "a"})
    predict(backend, model, 1, 2, "b", version="2")
    predict(backend, model, 1, 3, "c", day=1, version="2")
    predict(backend, model, 1, 4, "d", day=1, hour=2, features={"x": None, "c": "a"})
    settle(backend, model)
    assert [(one.ended_at, one.cause) for one in backend.control.episodes(model=model)[0]] == [(None, None)]
    predict(backend, model, 1, 5, "e", day=2, version="2")
    settle(backend, model)
    assert [one.ended_at for one in backend.control.episodes(model=model)[0]] == [
        None
    ]  # version 2 goes on alone, but came at the same time
    predict(backend, model, 1, 6, "f", day=3, version="3")
    with monkeypatch.context() as patched:  # an owner that is killed between the two leaves it to the next one
        patched.setattr(runner, "end_superseded", lambda *_: None)
        settle(backend, model)
    assert [one.ended_at for one in backend.control.episodes(model=model)[0]] == [None]
    for _ in range(2):
        backend.kill()
        settle(backend, model)
    ((episode,), _) = backend.control.episodes(model=model)
    assert (episode.state, episode.cause) == (State.RESOLVED, Cause.VERSION_SUPERSEDED)
    assert episode.timeline[-1].reason.startswith("version 1 is not served any more: its last events are of ")


@pytest.mark.parametrize("limit", [None, 0.9])
def test_an_episode_ends_with_the_definition_that_opened_it(backend: Backend, model: str, limit: float | None) -> None:
    """Also if the new definition has no threshold and no event comes: a destination that was sent the firing is sent the end, once."""
    backend.clock = ManualClock(START + 2 * moment.DAY)
    backend.control.apply_destinations([msgspec.structs.replace(DESTINATION, models=(model,))])
    nulls = msgspec.structs.replace(monitors(model)[0], segments=("all",), columns=("x",))
    backend.monitors[model] = [nulls]
    for key, value in {"a": None, "b": 1}.items():
        predict(backend, model, 1, 1, key, features={"x": value, "c": "a"})
    settle(backend, model)
    assert [episode.state for episode in backend.control.episodes(model=model)[0]] == [State.FIRING]
    backend.monitors[model] = [msgspec.structs.replace(nulls, revision=2, warn=limit)]
    for _ in range(2):
        settle(backend, model)
        backend.kill()
    ((episode,), _) = backend.control.episodes(model=model)
    assert (episode.state, episode.ended_at) == (State.RESOLVED, START + moment.DAY)
    assert [(sent.type, sent.state) for sent in episode.deliveries] == [
        ("episode.fired", DeliveryState.PENDING),
        ("episode.resolved", DeliveryState.PENDING),
    ]


def test_a_monitor_that_the_store_refuses_holds_up_no_other(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other monitors are evaluated. The refused one is reported, tried again after longer and longer pauses, and evaluated in full when the store accepts it."""
    backend.clock = clock = ManualClock(SystemClock().now())
    owner = backend.owner(model)
    refusing = Refusing(owner._runner._evaluate, "nulls")
    monkeypatch.setattr(owner._runner, "_evaluate", refusing)
    for times, key in enumerate("abc"):
        predict(backend, model, 1, 1, key)
        settle(backend, model)
        assert owner.counts.failed == {"nulls": f"Retryable: MEMORY_LIMIT_EXCEEDED; tried again in {2**times} s"}
        assert counts(backend, model, "psi") == {(0, "all"): times + 1, (0, "c=a"): times + 1}
        assert counts(backend, model) == {}
        clock.advance(moment.MINUTE)
    refusing.refused.clear()
    settle(backend, model)
    assert owner.counts.failed == {}
    assert counts(backend, model) == counts(backend, model, "psi")


def test_what_the_store_refuses_for_several_is_asked_for_each(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are read together; if the store refuses that, each monitor's columns are read alone, so that one does not stop another."""
    backend.clock = ManualClock(SystemClock().now())
    nulls = msgspec.structs.replace(monitors(model)[0], segments=("all",))
    backend.monitors[model] = [
        msgspec.structs.replace(nulls, name=name, columns=(column,)) for name, column in (("nulls", "x"), ("of c", "c"))
    ]
    panes = backend.owner(model)._runner._evaluate._panes
    ask, asked = panes.inputs, list[int]()

    def counted(contract: Contract, columns: Sequence[str], *rest: Any) -> Any:
        asked.append(len(columns))
        if len(columns) > 1:
            raise Retryable("MEMORY_LIMIT_EXCEEDED")
        return ask(contract, columns, *rest)

    monkeypatch.setattr(panes, "inputs", counted)
    predict(backend, model, 1, 1)
    settle(backend, model)
    assert backend.owner(model).counts.failed == {}
    assert asked[:2] == [2, 1]
    assert counts(backend, model) == {(0, "all"): 1}


def test_a_store_that_refuses_all_is_no_monitors_fault(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step fails as a whole, and when the store answers again no monitor waits for a pause."""
    backend.clock = ManualClock(SystemClock().now())
    owner = backend.owner(model)
    refusing = Refusing(owner._runner._evaluate, *(monitor.name for monitor in monitors(model)))
    monkeypatch.setattr(owner._runner, "_evaluate", refusing)
    predict(backend, model, 1, 1)
    backend.ingest(1_000_000)
    for _ in range(3):
        with pytest.raises(Retryable, match="MEMORY"):
            backend.evaluate(model, silent=True)
        assert owner.counts.failed == {}
    refusing.refused.clear()
    settle(backend, model)
    assert counts(backend, model) == counts(backend, model, "psi") == {(0, "all"): 1, (0, "c=a"): 1}


def test_a_store_that_goes_away_is_no_monitors_fault(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step fails with the store's error, even if some monitors were evaluated before, and no monitor waits for a pause."""
    backend.clock = ManualClock(SystemClock().now())
    owner = backend.owner(model)

    def gone(_: Contract) -> NoReturn:
        raise Retryable("does not answer")

    with monkeypatch.context() as outage:
        away = Refusing(owner._runner._evaluate, "accuracy", then=lambda: outage.setattr(owner._runner._panes, "slots", gone))
        outage.setattr(owner._runner, "_evaluate", away)
        predict(backend, model, 1, 1)
        backend.ingest(1_000_000)
        with pytest.raises(Retryable, match="does not answer"):
            backend.evaluate(model, silent=True)
    assert owner.counts.failed == {}
    settle(backend, model)
    assert counts(backend, model) == counts(backend, model, "psi") == {(0, "all"): 1, (0, "c=a"): 1}


def test_readings_of_earlier_owners_are_counted_in_each_step_at_first_and_then_now_and_then() -> None:
    """So a long history costs a quiet model nothing, and a later write of an earlier owner is found within minutes."""
    stored, asked, clock = {"below": 7}, list[int](), ManualClock(START)

    def below(*_: object) -> int:
        asked.append(clock.now())
        return stored["below"]

    own: Any = SimpleNamespace(first=1)
    nothing: Any = None
    readings: Any = SimpleNamespace(below=below)
    watching = runner.MonitorRunner(nothing, nothing, readings, nothing, nothing, clock)
    seen = []
    for second in range(3_600):
        stored["below"] += second in {3, 2_000}
        if watching.orphans_possible("m", own):
            seen.append(second)
        clock.advance(moment.SECOND)
    assert seen[:2] == [0, 3]
    assert len(seen) == 3
    assert 2_000 <= seen[2] < 2_300
    assert len(asked) == 600 + 3_000 // 300


def test_each_step_of_a_new_lease_counts_until_the_scheduler_has_looked_too() -> None:
    """What is written before it looks first is found by the next step, which may be the last one for long; later a second may pass, and the next lease begins afresh."""
    asked, clock = list[int](), ManualClock(START)

    def below(*_: object) -> int:
        asked.append(clock.now())
        return 7

    nothing: Any = None
    readings: Any = SimpleNamespace(below=below)
    watching = runner.MonitorRunner(nothing, nothing, readings, nothing, nothing, clock)
    found = []
    for first in (1, 2):
        asked.clear()
        own: Any = SimpleNamespace(first=first)
        for _ in range(7_000):
            watching.orphans_possible("m", own)
            clock.advance(moment.SECOND // 10)
        found.append([sum(low <= (at - asked[0]) / moment.SECOND < high for at in asked) for low, high in ((0, 10), (10, 600), (600, 700))])
    assert found == [[100, 590, 0]] * 2
