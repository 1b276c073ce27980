"""Problems of Watchkeeper itself: told once they last, once by all processes, and ended when all are gone."""

from __future__ import annotations

import json

import pytest

from alerts.deliver import Deliverer
from alerts.system_watch import HOLD, SystemWatch
from core import moment
from core.clock import ManualClock
from core.destination import Destination
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import at

STUCK = "{} records wait, and none has been written for {} s; look at the ingest processes"
AWAY = "there is no process of kind evaluate"


class Problems(list[str]):
    """The problems of the status, which a test sets."""

    def __call__(self) -> list[str]:
        """What there is now."""
        return list(self)


def steward(url: str, **changes: object) -> Destination:
    """A destination that takes problems only; the model that it takes episodes of has nothing to do with them."""
    return at(url, name="steward", events=("system",), models=("other",), **changes)


def told(store: ControlStore, clock: ManualClock, receiver: Receiver) -> list[tuple[str, int, list[str]]]:
    """Type, number of problems, and what is new, of each notification so far."""
    Deliverer(store, clock).deliver_due()
    bodies = [json.loads(call.body) for call in receiver.calls]
    return [(one["type"], len(one["data"]["problems"]), one["data"]["new"]) for one in bodies]


@pytest.fixture
def problems() -> Problems:
    return Problems()


def test_a_problem_that_lasts_is_told_once_and_so_is_its_end(
    store: ControlStore, clock: ManualClock, receiver: Receiver, problems: Problems
) -> None:
    """Its numbers change while it lasts; what joins it is told, and what was there for less than a minute is not."""
    store.apply_destinations([steward(receiver.url), at(receiver.url)])
    watch = SystemWatch(store, problems, clock, address="http://127.0.0.1:8650")
    problems[:] = [AWAY]
    watch.look()
    problems.clear()
    clock.advance(HOLD)
    watch.look()
    assert told(store, clock, receiver) == []
    for second in range(0, 300, 20):
        problems[:] = [STUCK.format(1_000 + second, second), *([AWAY] if second >= 120 else [])]
        watch.look()
        told(store, clock, receiver)
        clock.advance(20 * moment.SECOND)
    problems.clear()
    for _ in range(8):
        watch.look()
        clock.advance(20 * moment.SECOND)
    found = told(store, clock, receiver)
    assert [one[:2] for one in found] == [("system.fired", 1), ("system.updated", 2), ("system.resolved", 0)]
    assert [one[2] for one in found] == [[STUCK.format("1060", 60)], [AWAY], []]
    incidents = {json.loads(call.body)["data"]["incident"] for call in receiver.calls}
    assert len(incidents) == 1
    assert store.incident() is None


def test_a_problem_that_names_another_notification_each_time_is_one(
    store: ControlStore, clock: ManualClock, receiver: Receiver, problems: Problems
) -> None:
    """A destination that loses one after the other, and a partition whose counts change, are told once."""
    store.apply_destinations([steward(receiver.url)])
    watch = SystemWatch(store, problems, clock)
    for turn in range(12):
        problems[:] = [
            f"destination out: its notification msg_{turn:024x} was given up: answered 400: no; request {turn}; correct what is wrong: msg_{turn:024x}",
            f"destination away: {turn + 3} attempts in a row failed, the last: answered 503: busy\nRay ID {turn}; its oldest notification is of 2026-07-02T00:00:03Z; look at it",
            f"ingest of labels: {turn + 7} of the last 1,00{turn} rows were rejected; it stops before position {turn} and tries again every 5 s",
        ]
        watch.look()
        clock.advance(20 * moment.SECOND)
    assert [one[:2] for one in told(store, clock, receiver)] == [("system.fired", 3)]


def test_a_notification_lists_a_hundred_problems(store: ControlStore, clock: ManualClock, receiver: Receiver, problems: Problems) -> None:
    """There may be one for each of ten thousand monitors; the receiver learns how many there are."""
    store.apply_destinations([steward(receiver.url)])
    watch = SystemWatch(store, problems, clock)
    problems[:] = [f"monitor m{number} of model: it cannot be evaluated" for number in range(300)]
    for _ in range(4):
        watch.look()
        clock.advance(20 * moment.SECOND)
    (found,) = told(store, clock, receiver)
    assert (found[1], len(found[2]), json.loads(receiver.calls[0].body)["data"]["count"]) == (100, 100, 300)


def test_one_process_at_a_time_goes_on_with_an_incident(
    store: ControlStore, clock: ManualClock, receiver: Receiver, problems: Problems
) -> None:
    """Another, which sees no problem, ends nothing while the first one lives; when that is gone it does."""
    store.apply_destinations([steward(receiver.url)])
    first, other = SystemWatch(store, problems, clock), SystemWatch(store, Problems(), clock)
    problems[:] = [AWAY]
    for _ in range(30):
        first.look()
        other.look()
        clock.advance(20 * moment.SECOND)
    assert [one[0] for one in told(store, clock, receiver)] == ["system.fired"]
    for _ in range(12):
        other.look()
        clock.advance(20 * moment.SECOND)
    assert [one[0] for one in told(store, clock, receiver)] == ["system.fired", "system.resolved"]


def test_a_destination_that_comes_later_is_told_of_what_comes_then(
    store: ControlStore, clock: ManualClock, receiver: Receiver, problems: Problems
) -> None:
    """While nobody listens nothing is kept; a paused destination is told of the end only if it was told before."""
    watch = SystemWatch(store, problems, clock)
    problems[:] = [AWAY]
    for _ in range(5):
        watch.look()
        clock.advance(20 * moment.SECOND)
    assert store.incident() is None
    store.apply_destinations([steward(receiver.url, enabled=False)])
    watch.look()
    assert store.incident() is None
    store.apply_destinations([steward(receiver.url)])
    watch.look()
    assert [one[0] for one in told(store, clock, receiver)] == ["system.fired"]


def test_destinations_are_read_only_when_there_is_something_to_tell(
    store: ControlStore, clock: ManualClock, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while all is well, nor while a problem has not lasted."""
    asked: list[int] = []
    read = store.destinations

    def counted() -> list[Destination]:
        asked.append(1)
        return read()

    monkeypatch.setattr(store, "destinations", counted)
    watch = SystemWatch(store, problems, clock)
    for _ in range(10):
        watch.look()
        clock.advance(HOLD // 4)
    problems[:] = [AWAY]
    watch.look()
    assert asked == []
    clock.advance(HOLD)
    watch.look()
    assert asked == [1]
