"""The policy over a real store: from readings to signed notices, exactly once through restarts, kills and several processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from alerts.deliver import Deliverer
from alerts.engine import AlertEngine
from alerts.policy.watch import PolicyWatch
from core import moment
from core.clock import ManualClock
from core.episode import DeliveryState
from core.handling import Act
from core.policy import Policy, Route, Silence
from detectors.catalogue import MEASURES
from storage.control.policy import PolicyTransaction
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import DESTINATION, MONITOR, at, reading

HORIZON = 2 * moment.DAY
POLICY = Policy(name="default", group_wait=30 * moment.SECOND, routes=(Route(to=("oncall",)),))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(reading(0, "ok").window_end)


@pytest.fixture
def engine(store: ControlStore, clock: ManualClock) -> AlertEngine:
    return AlertEngine(store, clock, MEASURES)


@pytest.fixture
def watch(store: ControlStore, clock: ManualClock) -> PolicyWatch:
    return PolicyWatch(store, clock, HORIZON, address="http://127.0.0.1:8650")


def test_columns_and_segments_are_one_signed_notice_from_firing_to_end(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock, receiver: Receiver
) -> None:
    """The whole way: readings, rules, the policy, the outbox, a receiver; and the episodes say in which group they are."""
    store.apply_destinations([at(receiver.url)])
    store.apply_policies([POLICY])
    engine.observe(MONITOR, [reading(0, "warn"), reading(0, "critical", column="dewp"), reading(0, "warn", segment="carrier=UA")])
    deliverer = Deliverer(store, clock)
    assert (watch.look(), deliverer.deliver_due()) == (0, 0)
    assert all(one.decision.suppressed.startswith("waits for others until ") for one in store.episodes("open")[0])
    clock.advance(30 * moment.SECOND)
    assert (watch.look(), watch.look(), deliverer.deliver_due()) == (1, 0, 1)
    found, _ = store.episodes("open")
    assert len({one.decision.group for one in found}) == 1
    assert {one.document()["suppressed"] for one in found} == {None}
    assert [row.state for row in found[0].deliveries] == [DeliveryState.DELIVERED]
    clock.advance(10 * moment.MINUTE)
    engine.observe(MONITOR, [reading(1, "ok"), reading(1, "ok", column="dewp"), reading(1, "ok", segment="carrier=UA")])
    assert (watch.look(), deliverer.deliver_due()) == (1, 1)
    bodies = [json.loads(call.body) for call in receiver.calls]
    assert [body["type"] for body in bodies] == ["group.fired", "group.resolved"]
    data = bodies[0]["data"]
    assert (data["count"], data["model"], data["level"], data["severity"]) == (3, "late", "critical", "ticket")
    assert [one["column"] for one in data["episodes"]] == ["dewp", "temp", "temp"]
    assert data["sentence"].endswith("; 2 more with it: columns dewp, temp; segments carrier=UA")
    assert data["group"] == bodies[1]["data"]["group"] == found[0].decision.group
    assert watch.look() == 0


def test_a_decision_that_breaks_leaves_nothing_and_is_made_again(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any point before the commit, the next process tells the same, once."""
    store.apply_destinations([DESTINATION])
    store.apply_policies([msgspec.structs.replace(POLICY, group_wait=0)])
    engine.observe(MONITOR, [reading(0, "warn")])
    write = PolicyTransaction.decide

    def broken(change: PolicyTransaction, *given: object) -> None:
        write(change, *given)  # type: ignore[arg-type]
        raise OSError("killed")

    monkeypatch.setattr(PolicyTransaction, "decide", broken)
    with pytest.raises(OSError, match="killed"):
        watch.look()
    assert store.due(clock.now()) == []
    monkeypatch.undo()
    assert [PolicyWatch(store, clock, HORIZON).look() for _ in range(3)] == [1, 0, 0]
    assert len(store.due(clock.now())) == 1


def test_several_processes_tell_it_once(store: ControlStore, engine: AlertEngine, clock: ManualClock, url: str) -> None:
    """Four look at the same time, ten times; each notice is in the outbox once."""
    store.apply_destinations([DESTINATION])
    store.apply_policies([msgspec.structs.replace(POLICY, group_wait=0, group_interval=0, group_by=("column",))])
    engine.observe(MONITOR, [reading(0, "warn", column=f"c{number}") for number in range(5)])
    others = [ControlStore(url, clock) for _ in range(4)]
    looks: list[Callable[[], int]] = [PolicyWatch(one, clock, HORIZON).look for one in others]
    with ThreadPoolExecutor(4) as pool:
        made = sum(future.result() for _ in range(10) for future in [pool.submit(look) for look in looks])
    for one in others:
        one.close()
    assert made == 5
    assert store.delivery_counts()[DeliveryState.PENDING] == 5


def test_people_and_silences_are_seen_without_another_reading(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock
) -> None:
    """A silence holds, its end lets go, an acknowledgement ends repetitions; and the timeline has all of it."""
    store.apply_destinations([DESTINATION])
    store.apply_policies([POLICY])
    until = clock.now() + moment.HOUR
    store.add_silence(Silence(id="si_1", match={"column": ("temp",)}, starts_at=0, ends_at=until, comment="deploy", created_by="ada"))
    engine.observe(MONITOR, [reading(0, "warn")])
    assert watch.look() == 0
    (held,), _ = store.episodes()
    assert held.document()["silenced_by"] == "si_1"
    assert held.document()["suppressed"] == f"silenced until {moment.text(until)} by ada: deploy"
    clock.advance(moment.HOUR)
    assert watch.look() == 0
    clock.advance(30 * moment.SECOND)
    assert watch.look() == 1
    store.add_act(Act(episode=held.id, at=clock.now(), actor="ada", action="acknowledge", comment="looking"))
    clock.advance(moment.DAY)
    assert watch.look() == 0
    (told,), _ = store.episodes()
    document = told.document()
    assert (document["acknowledged_by"], document["suppressed"]) == ("ada", None)
    assert [(entry["what"], entry["by"]) for entry in document["timeline"]] == [("firing", None), ("acknowledge", "ada")]
    assert document["comments"] == [{"at": document["timeline"][1]["at"], "by": "ada", "comment": "looking"}]
    actions = [entry.action for entry in store.audit_entries()[0]]
    assert actions[:3] == ["episode.acknowledge", "silence.created", "policy.created"]


def test_what_was_told_before_the_policy_is_not_told_again_and_its_end_is(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock
) -> None:
    """A policy that comes and goes loses no end and doubles no firing."""
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, [reading(0, "warn")])
    store.apply_policies([msgspec.structs.replace(POLICY, group_wait=0)])
    engine.observe(MONITOR, [reading(0, "warn", column="dewp")])
    assert watch.look() == 1
    store.delete_policy("default")
    engine.observe(MONITOR, [reading(0, "warn", column="rain")])
    assert watch.look() == 0
    engine.observe(MONITOR, [reading(1, "ok"), reading(1, "ok", column="dewp"), reading(1, "ok", column="rain")])
    assert watch.look() == 1
    rows = {one.column: [row.type for row in one.deliveries] for one in store.episodes()[0]}
    assert rows == {
        "temp": ["episode.fired", "episode.resolved"],
        "dewp": ["group.fired", "group.resolved"],
        "rain": ["episode.fired", "episode.resolved"],
    }


def test_what_was_told_before_the_policy_goes_on_to_be_told_where_it_was(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock
) -> None:
    """Its rise to critical, its end, and that it goes on; to whom it was told before, and to nobody else."""
    store.apply_destinations([DESTINATION])
    monitor = msgspec.structs.replace(MONITOR, reopen_within=5 * moment.DAY)
    engine.observe(monitor, [reading(0, "warn")])
    store.apply_destinations([msgspec.structs.replace(DESTINATION, name="later")])
    store.apply_policies([msgspec.structs.replace(POLICY, group_wait=0)])
    for day, verdict in enumerate(("critical", "ok", "warn", "ok"), 1):
        clock.advance(moment.DAY)
        engine.observe(monitor, [reading(day, verdict)])
        assert watch.look() == 0
    ((one,), _) = store.episodes()
    assert {row.destination for row in one.deliveries} == {"oncall"}
    assert [row.type.removeprefix("episode.") for row in one.deliveries] == ["fired", "fired", "resolved", "fired", "resolved"]


def test_what_waits_is_told_when_the_policy_is_gone(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock, url: str
) -> None:
    """Also what was noticed under the policy and is seen after it only. Comments on what nobody takes tell nothing."""
    store.apply_destinations([msgspec.structs.replace(DESTINATION, models=("other",))])
    engine.observe(MONITOR, [reading(0, "warn", column="rain")])
    store.apply_destinations([DESTINATION])
    store.apply_policies([POLICY])
    engine.observe(MONITOR, [reading(0, "warn")])
    assert watch.look() == 0
    engine.observe(MONITOR, [reading(0, "warn", column="dewp")])
    store.delete_policy("default")
    assert (watch.look(), watch.look()) == (3, 0)
    (rain,) = (one for one in store.episodes()[0] if one.column == "rain")
    store.add_act(Act(episode=rain.id, at=clock.now(), actor="ada", action="comment", comment="?"))
    assert watch.look() == 0
    engine.observe(MONITOR, [reading(1, "ok"), reading(1, "ok", column="dewp")])
    rows = {one.column: [row.type for row in one.deliveries] for one in store.episodes()[0]}
    assert rows["temp"] == rows["dewp"] == ["episode.fired", "episode.resolved"]
    assert {one.decision.suppressed for one in store.episodes()[0]} == {""}


def test_a_notice_of_a_group_says_what_people_have_done(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock
) -> None:
    """And its episodes are not said to wait."""
    store.apply_destinations([DESTINATION])
    store.apply_policies([POLICY])
    engine.observe(MONITOR, [reading(0, "warn")])
    watch.look()
    ((one,), _) = store.episodes()
    store.add_act(Act(episode=one.id, at=clock.now(), actor="ada", action="assign", to="ada"))
    clock.advance(30 * moment.SECOND)
    assert watch.look() == 1
    (row,) = store.due(clock.now())
    (said,) = json.loads(row.body)["data"]["episodes"]
    assert (said["assigned_to"], said["suppressed"], said["group"]) == ("ada", None, row.episode)
    assert said["deliveries"] == []


def test_an_episode_shows_the_digest_in_which_it_was_told(
    store: ControlStore, engine: AlertEngine, watch: PolicyWatch, clock: ManualClock
) -> None:
    """A pager gets each group for itself, so that each incident can end; all others one digest."""
    pager = msgspec.structs.replace(
        DESTINATION, name="pager", kind="pagerduty", settings={"url": "http://127.0.0.1:9", "routing_key": "k" * 32}
    )
    store.apply_destinations([DESTINATION, pager])
    routes = (Route(to=("oncall", "pager")),)
    store.apply_policies([msgspec.structs.replace(POLICY, group_wait=0, group_by=("column",), cap=(1, moment.HOUR), routes=routes)])
    engine.observe(MONITOR, [reading(0, "warn"), reading(0, "warn", column="dewp")])
    assert watch.look() == 3
    engine.observe(MONITOR, [reading(1, "ok")])
    clock.advance(moment.MINUTE)
    assert watch.look() == 2
    rows = {one.column: sorted((row.destination, row.type) for row in one.deliveries) for one in store.episodes()[0]}
    assert rows["dewp"] == [("oncall", "group.digest"), ("pager", "group.fired")]
    assert rows["temp"] == [("oncall", "group.digest"), ("oncall", "group.resolved"), ("pager", "group.fired"), ("pager", "group.resolved")]
