"""The alert engine on a real store: episodes, timelines and the outbox change together."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from alerts.deliver import Deliverer
from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.contract import Contract, Task
from core.episode import Cause, DeliveryState, EpisodeRecord, Level, State
from core.error import Fenced
from core.monitor import Monitor, Severity
from core.reading import Reading
from detectors.catalogue import MEASURES
from storage.control.ledger import Ledger
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import DESTINATION, MONITOR, START, at, reading

DAYS = [reading(0, "warn"), reading(1, "critical"), reading(2, "ok")]


@pytest.fixture
def engine(store: ControlStore, clock: ManualClock) -> AlertEngine:
    return AlertEngine(store, clock, MEASURES, address="http://127.0.0.1:8650")


def test_an_episode_holds_why_since_when_and_the_frozen_evidence(store: ControlStore, engine: AlertEngine) -> None:
    """What the API gives out is all there."""
    engine.observe(MONITOR, DAYS[:1])
    (episode,), _ = store.episodes("open")
    assert episode.document("http://127.0.0.1:8650") == {
        "id": episode.id,
        "model": "late",
        "monitor": "drift",
        "measure": "drift.psi",
        "column": "temp",
        "segment": "all",
        "state": "firing",
        "severity": "ticket",
        "level": "warn",
        "started_at": "2013-07-01T00:00:00Z",
        "fired_at": "2013-07-02T00:00:00Z",
        "ended_at": None,
        "reason": "Population stability index of temp is 0.15; warn from 0.1, over 2013-07-01 (n 2,377)",
        "window_start": "2013-07-01T00:00:00Z",
        "window_end": "2013-07-02T00:00:00Z",
        "value": 0.15,
        "threshold": {"warn": 0.1, "critical": 0.25},
        "ended_by": None,
        "traffic_share": 1.0,
        "at_firing": {"value": 0.15, "window_start": "2013-07-01T00:00:00Z", "window_end": "2013-07-02T00:00:00Z"},
        "owner": None,
        "description": None,
        "runbook": None,
        "reading": {
            "baseline": "reference",
            "baseline_value": None,
            "lower": None,
            "upper": None,
            "n_target": 2_377,
            "n_baseline": None,
            "n_effective": None,
            "contributions": [],
        },
        "deliveries": [],
        "group": None,
        "suppressed": None,
        "changes": [],
        "retrains": [],
        "silenced_by": None,
        "inhibited_by": None,
        "acknowledged_by": None,
        "assigned_to": None,
        "snoozed_until": None,
        "useful": None,
        "comments": [],
        "timeline": [
            {
                "at": "2013-07-03T00:00:00Z",
                "what": "firing",
                "by": None,
                "text": "Population stability index of temp is 0.15; warn from 0.1, over 2013-07-01 (n 2,377)",
                "event_time": "2013-07-02T00:00:00Z",
            }
        ],
        "url": f"http://127.0.0.1:8650/ui/alerts/{episode.id}",
    }
    assert (episode.definition, episode.reading) == (MONITOR, DAYS[0])


def test_one_life_is_one_episode_with_a_timeline(store: ControlStore, engine: AlertEngine) -> None:
    """Fired, escalated, resolved: one id, three entries, each with its reason."""
    engine.observe(MONITOR, DAYS)
    (episode,), _ = store.episodes("closed")
    assert (episode.state, episode.level, episode.value, episode.ended_at) == (State.RESOLVED, Level.CRITICAL, 0.31, DAYS[2].window_end)
    assert (episode.reading, episode.fired) == (DAYS[1], DAYS[0])
    assert episode.document()["at_firing"]["window_start"] == moment.text(DAYS[0].window_start)
    timeline = store.transitions(episode.id)
    assert [(entry.after, entry.level) for entry in timeline] == [
        (State.FIRING, Level.WARN),
        (State.FIRING, Level.CRITICAL),
        (State.RESOLVED, Level.CRITICAL),
    ]
    assert all(entry.reason for entry in timeline)
    assert store.open_episodes() == {}


def test_readings_cut_at_random_and_sent_twice_leave_one_history(store: ControlStore, engine: AlertEngine) -> None:
    """Any batching, any repetition: the same episodes, timeline and notifications."""
    store.apply_destinations([DESTINATION])
    for batch in (DAYS[:1], DAYS[:2], DAYS, DAYS[1:], DAYS[::-1]):
        engine.observe(MONITOR, batch)
    (episode,), _ = store.episodes()
    assert len(store.transitions(episode.id)) == 3
    assert [delivery.type for delivery in episode.deliveries] == ["episode.fired", "episode.fired", "episode.resolved"]
    assert len({delivery.id for delivery in episode.deliveries}) == 3


def test_a_notification_carries_the_episode_as_it_was(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """The body is frozen in the outbox."""
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, DAYS)
    (episode,), _ = store.episodes()
    bodies = [json.loads(delivery.body) for delivery in episode.deliveries]
    assert [(body["type"], body["data"]["state"], body["data"]["level"]) for body in bodies] == [
        ("episode.fired", "firing", "warn"),
        ("episode.fired", "firing", "critical"),
        ("episode.resolved", "resolved", "critical"),
    ]
    assert {body["timestamp"] for body in bodies} == {moment.text(clock.now())}
    assert {body["data"]["id"] for body in bodies} == {episode.id}


def test_destinations_are_chosen_by_model_and_severity(store: ControlStore, engine: AlertEngine) -> None:
    """A destination gets only the models and severities that it takes."""
    replace = msgspec.structs.replace
    elsewhere = replace(DESTINATION, name="elsewhere", models=("other",))
    pager = replace(DESTINATION, name="pager", severity=Severity.PAGE)
    store.apply_destinations([DESTINATION, elsewhere, pager])
    engine.observe(MONITOR, DAYS[:1])
    (episode,), _ = store.episodes()
    assert [delivery.destination for delivery in episode.deliveries] == ["oncall"]


def test_what_is_older_than_the_horizon_is_recorded_and_not_sent(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """Episodes of a replayed past are shown and not sent, and neither are their resolutions."""
    store.apply_destinations([DESTINATION])
    clock.advance(30 * moment.DAY)
    engine.observe(MONITOR, [DAYS[0], DAYS[2]])
    (episode,), _ = store.episodes()
    assert [(delivery.type, delivery.state) for delivery in episode.deliveries] == [("episode.fired", DeliveryState.NOT_SENT)]
    assert episode.deliveries[0].reason == "older than 2 days"
    assert store.due(clock.now()) == []


def test_who_was_told_of_the_firing_is_told_of_the_end_however_late(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """No page stays open on the receiver's side."""
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, DAYS[:1])
    clock.advance(30 * moment.DAY)
    engine.observe(MONITOR, [reading(0, "ok", 2)])
    (episode,), _ = store.episodes()
    assert [delivery.state for delivery in episode.deliveries] == [DeliveryState.PENDING] * 2


def test_a_changed_monitor_closes_what_its_old_definition_opened(store: ControlStore, engine: AlertEngine) -> None:
    """A new definition is judged afresh; readings of the old one are left alone."""
    engine.observe(MONITOR, DAYS[:2])
    changed = msgspec.structs.replace(MONITOR, revision=2, warn=None, critical=None)
    (closed,) = engine.observe(changed, [])
    assert closed.reason == "Monitor drift was changed (revision 2) and is judged afresh"
    assert store.open_episodes() == {}
    assert engine.observe(MONITOR, [reading(5, "critical")]) == []
    assert store.open_episodes() == {}


def test_a_monitor_without_thresholds_leaves_no_trace(store: ControlStore, engine: AlertEngine) -> None:
    """The default monitors cost nothing."""
    bare = msgspec.structs.replace(MONITOR, warn=None, critical=None)
    assert engine.observe(bare, DAYS) == []
    with store.recording() as ledger:
        assert ledger.rules("late", "drift") == []


def test_a_step_that_breaks_leaves_nothing_and_can_be_made_again(
    store: ControlStore, engine: AlertEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules, episodes and outbox rows are written together or not at all."""
    store.apply_destinations([DESTINATION])
    write = Ledger.write

    def broken(ledger: Ledger, record: EpisodeRecord) -> None:
        write(ledger, record)
        raise OSError("the disk is full")

    monkeypatch.setattr(Ledger, "write", broken)
    with pytest.raises(OSError, match="full"):
        engine.observe(MONITOR, DAYS)
    assert store.episodes() == ([], None)
    monkeypatch.undo()
    engine.observe(MONITOR, DAYS)
    assert len(store.episodes()[0][0].deliveries) == 3


def test_each_segment_has_its_own_rule_and_a_restart_forgets_nothing(url: str, store: ControlStore, clock: ManualClock) -> None:
    """The state is in the store, not in the engine."""
    AlertEngine(store, clock, MEASURES).observe(MONITOR, [reading(0, "critical", segment=f"carrier={name}") for name in ("UA", "AA")])
    again = ControlStore(url, clock)
    AlertEngine(again, clock, MEASURES).observe(MONITOR, [reading(1, "ok", segment="carrier=AA")])
    assert [episode.segment for episode in again.episodes("open")[0]] == ["carrier=UA"]
    assert [episode.segment for episode in again.episodes("closed")[0]] == ["carrier=AA"]
    again.close()


def test_segments_of_any_text_have_rules_episodes_and_notifications(
    store: ControlStore, engine: AlertEngine, clock: ManualClock, receiver: Receiver
) -> None:
    """NUL, backslashes, 4 KiB: what a category may hold, an alert can say, on each database."""
    store.apply_destinations([at(receiver.url)])
    segments = [f"carrier={value}" for value in ("\0", "\\0", "\\", "ü" * 2_048, "ü" * 2_047 + "x")]
    for day, verdict in enumerate(("critical", "ok")):
        engine.observe(MONITOR, [reading(day, verdict, segment=segment) for segment in segments])
    assert sorted(episode.segment for episode in store.episodes("closed")[0]) == sorted(segments)
    assert Deliverer(store, clock).deliver_due() == 10
    assert {json.loads(call.body)["data"]["segment"] for call in receiver.calls} == set(segments)


def test_who_was_overtaken_changes_nothing(store: ControlStore, engine: AlertEngine) -> None:
    """No rule, no episode, no notification; the new owner's readings count."""
    old, new = store.take("owner:late"), store.take("owner:late")
    with pytest.raises(Fenced):
        engine.observe(MONITOR, DAYS[:1], ("owner:late", old))
    assert store.episodes() == ([], None)
    engine.observe(MONITOR, DAYS[:1], ("owner:late", new))
    assert len(store.episodes("open")[0]) == 1


def test_waking_happens_only_where_there_is_something_to_send(store: ControlStore, clock: ManualClock) -> None:
    """Delivery looks at once when a row is there."""
    woken: list[int] = []
    engine = AlertEngine(store, clock, MEASURES, wake=lambda: woken.append(START))
    engine.observe(MONITOR, DAYS[:1])
    assert woken == []
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, DAYS)
    assert woken == [START]


def test_whose_it_is_comes_with_an_episode(store: ControlStore, engine: AlertEngine) -> None:
    """Owner, description and runbook come from the monitor, or else from the model's contract, on the page and in notifications."""
    store.apply_destinations([DESTINATION])
    of_model: dict[str, Any] = {"owner": "delays", "description": "of the model", "runbook": "https://wiki.example.org/late"}
    store.save_contract(Contract(model="late", version=1, task=Task.BINARY, features=(), **of_model), content="c", reference=None)
    engine.observe(msgspec.structs.replace(MONITOR, owner="weather", description="wet days"), DAYS[:1])
    (episode,), _ = store.episodes("open")
    expected = {"owner": "weather", "description": "wet days", "runbook": "https://wiki.example.org/late"}
    assert episode.words == expected
    sent = json.loads(episode.deliveries[0].body)["data"]
    assert {name: sent[name] for name in expected} == expected


def test_words_about_a_monitor_leave_its_episode_open(store: ControlStore, engine: AlertEngine) -> None:
    """The rule goes on, because the revision that it carries has not changed."""
    engine.observe(MONITOR, DAYS[:1])
    before = store.episodes("open")
    assert engine.observe(msgspec.structs.replace(MONITOR, revision=2, since=1, owner="weather"), []) == []
    assert store.episodes("open") == before
    engine.observe(msgspec.structs.replace(MONITOR, revision=2, since=1, owner="weather"), DAYS[2:])
    assert store.open_episodes() == {}


def test_a_paused_destination_is_told_nothing_new(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """A firing is recorded as not sent. Waiting notifications, and the resolution of a firing that was sent, wait; both are sent in order when it is enabled."""
    paused = msgspec.structs.replace(DESTINATION, enabled=False)
    other = msgspec.structs.replace(MONITOR, name="other")
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, DAYS[:1])
    store.apply_destinations([paused])
    engine.observe(MONITOR, DAYS[2:])
    engine.observe(other, [msgspec.structs.replace(one, monitor="other") for one in DAYS])
    assert (store.due(clock.now()), store.due(clock.now(), lease=moment.MINUTE), store.failing(0)) == ([], [], [])
    (silent,), _ = store.episodes(monitor="other")
    assert [(row.type, row.state, row.reason) for row in silent.deliveries] == [
        ("episode.fired", DeliveryState.NOT_SENT, "the destination is paused"),
        ("episode.fired", DeliveryState.NOT_SENT, "the destination is paused"),
    ]
    store.apply_destinations([DESTINATION])
    (told,), _ = store.episodes(monitor=MONITOR.name)
    assert [row.type for row in told.deliveries] == ["episode.fired", "episode.resolved"]
    for expected in told.deliveries:
        (row,) = store.due(clock.now())
        assert row.id == expected.id
        store.settle(msgspec.structs.replace(row, state=DeliveryState.DELIVERED))
    assert store.due(clock.now()) == []


def test_a_new_reference_ends_what_was_judged_against_the_old_one(store: ControlStore, engine: AlertEngine) -> None:
    """The same windows come again with higher revisions, and are judged afresh. Without the reference as baseline a rule goes on."""
    bare = msgspec.structs.replace(MONITOR, name="bare", baseline=None)
    for monitor in (MONITOR, bare):
        engine.observe(monitor, [msgspec.structs.replace(DAYS[0], monitor=monitor.name)], contract=1, columns=("temp",))
    (ended,) = engine.observe(MONITOR, [], contract=2, columns=("temp",))
    assert (ended.cause, ended.reason) == (Cause.NEW_BASELINE, "the reference is another one (contract version 2), and is judged afresh")
    assert engine.observe(bare, [], contract=2, columns=("temp",)) == []
    engine.observe(MONITOR, [reading(0, "critical", 2, contract=2)], contract=2, columns=("temp",))
    (old,), _ = store.episodes("closed")
    assert old.document()["ended_by"] == "new_baseline"
    assert sorted((one.monitor, one.level) for one in store.episodes("open")[0]) == [("bare", "warn"), ("drift", "critical")]


def test_an_episode_of_a_column_that_the_contract_has_not_any_more_ends(store: ControlStore, engine: AlertEngine) -> None:
    """It says so, and the other columns go on."""
    monitor = msgspec.structs.replace(MONITOR, baseline=None)
    engine.observe(monitor, [reading(0, "warn"), reading(0, "warn", column="dewp")], contract=1, columns=("temp", "dewp"))
    (ended,) = engine.observe(monitor, [], contract=2, columns=("temp",))
    assert (ended.cause, ended.reason) == (Cause.COLUMN_GONE, "dewp is not watched under contract version 2")
    assert [one.column for one in store.episodes("open")[0]] == ["temp"]


def test_an_episode_of_a_segment_that_the_contract_cannot_have_any_more_ends(store: ControlStore, engine: AlertEngine) -> None:
    """No reading of it would ever come; the reference may be the same. The other segments go on."""
    about: dict[str, Any] = {"contract": 1, "columns": ("temp",)}
    engine.observe(
        MONITOR, [reading(0, "warn", segment=name) for name in ("all", "carrier=VX")], **about, version=2, watched=lambda _: True
    )
    assert engine.observe(MONITOR, [], **about, version=2, watched=lambda _: False) == []  # it was asked under this version
    (ended,) = engine.observe(MONITOR, [], **about, version=3, watched=lambda segment: segment == "all")
    assert (ended.cause, ended.reason) == (Cause.SEGMENT_GONE, "carrier=VX is not watched under contract version 3")
    assert [one.segment for one in store.episodes("open")[0]] == ["all"]


def test_an_episode_that_goes_on_is_told_again_and_keeps_its_worst_level(store: ControlStore, engine: AlertEngine) -> None:
    """One id, one timeline; the end is taken back."""
    store.apply_destinations([DESTINATION])
    monitor = msgspec.structs.replace(MONITOR, reopen_within=2 * moment.DAY)
    engine.observe(monitor, [reading(0, "critical"), reading(1, "ok"), reading(2, "warn")])
    (episode,), _ = store.episodes()
    assert (episode.ended_at, episode.cause, episode.level, episode.fired_at) == (None, None, Level.CRITICAL, DAYS[0].window_end)
    assert [one.type for one in episode.deliveries] == ["episode.fired", "episode.resolved", "episode.fired"]
    assert len({one.id for one in episode.deliveries}) == 3


def test_an_episode_says_what_share_of_the_rows_its_segment_holds(store: ControlStore, engine: AlertEngine) -> None:
    """By the reading of all rows of the same window, if that came along."""
    engine.observe(MONITOR, [reading(0, "ok", n_target=1_000), reading(0, "warn", segment="carrier=UA", n_target=250)])
    engine.observe(MONITOR, [reading(1, "warn", segment="carrier=AA", n_target=250)])
    shares = {one.segment: one.traffic_share for one in store.episodes()[0]}
    assert shares == {"carrier=UA": 0.25, "carrier=AA": None}


def test_monitors_of_one_step_have_the_history_that_each_has_alone(store: ControlStore, clock: ManualClock) -> None:
    """Readings of several monitors in one transaction change the same rules, episodes and timelines as one transaction for each monitor, and the same readings again change nothing."""
    engine = AlertEngine(store, clock, MEASURES)
    alone, together = ([msgspec.structs.replace(MONITOR, model=model, name=name) for name in ("drift", "drift 2")] for model in ("a", "b"))

    def given(monitors: list[Monitor], day: int, verdict: str) -> list[tuple[Monitor, list[Reading]]]:
        return [
            (one, [reading(day, verdict, model=one.model, monitor=one.name, segment=f"carrier={place}") for place in range(3)])
            for one in monitors
        ]

    for day, verdict in enumerate(("warn", "critical", "ok")):
        for monitor, readings in given(alone, day, verdict):
            engine.observe(monitor, readings)
        engine.observe_all(given(together, day, verdict))
    assert engine.observe_all(given(together, 1, "critical")) == []

    def told(model: str) -> list[tuple[object, ...]]:
        found = []
        for one in store.episodes(model=model)[0]:
            timeline = tuple((entry.at, entry.after, entry.reason) for entry in one.timeline)
            rows = tuple((row.type, row.state) for row in one.deliveries)
            found.append((one.monitor, one.segment, one.state, one.level, one.first and one.first.window_end, timeline, rows))
        return sorted(found, key=str)

    assert told("a") == told("b")
    assert len(told("a")) == 6
