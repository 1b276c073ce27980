"""Episodes, timelines and the outbox, as the store keeps them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import select, update

from core.episode import Delivery, DeliveryState, Episode, EpisodeRecord, Level, Rule, SeenWindow, State, Transition
from core.error import ConfigError, Fatal
from core.monitor import Monitor, Severity
from core.reading import Reading, Verdict
from storage.control.schema import EPISODE
from storage.control.store import ControlStore

MONITOR = Monitor(name="drift", model="late", measure="drift.psi", critical=0.25)
READING = Reading(monitor="drift", model="late", measure="drift.psi", window_start=0, window_end=1, value=0.3, verdict=Verdict.CRITICAL)


def episode(number: int, *, model: str = "late", ended: int | None = None) -> Episode:
    return Episode(
        id=f"ep_{number}",
        model=model,
        monitor="drift",
        measure="drift.psi",
        column="temp",
        segment="all",
        state=State.FIRING,
        severity=Severity.TICKET,
        level=Level.CRITICAL,
        started_at=0,
        fired_at=number // 2,  # two at a time
        ended_at=ended,
        reason="because",
        window_start=0,
        window_end=1,
        value=0.3,
        threshold={"critical": 0.25},
        definition=MONITOR,
        reading=READING,
    )


def delivery(number: int, destination: str = "oncall", due: int = 0) -> Delivery:
    return Delivery(id=f"msg_{number}", destination=destination, episode="ep_1", type="episode.fired", body="{}", created=0, due=due)


def write(store: ControlStore, record: EpisodeRecord) -> None:
    with store.recording() as ledger:
        ledger.write(record)


def test_spans_of_episodes_that_were_open_after_a_time(store: ControlStore) -> None:
    """Of one monitor of one model, in order; one that ended at that time is left out."""
    held = [episode(4), episode(8, ended=9), episode(6, ended=5), episode(2, ended=6), episode(10, model="other")]
    write(store, EpisodeRecord(episodes=held))
    assert store.fired_spans("late", "drift", 5) == [(1, 6), (2, None), (4, 9)]
    assert store.fired_spans("late", "else", 0) == []


def test_pages_of_episodes_are_complete_and_in_order(store: ControlStore) -> None:
    """The last fired first; a page ends where the next begins, among equal times too."""
    write(store, EpisodeRecord(episodes=[episode(number) for number in range(7)]))
    seen: list[str] = []
    after = None
    for size in (3, 3, 1):
        page, after = store.episodes(limit=3, after=after)
        assert len(page) == size
        seen += [item.id for item in page]
    assert after is None
    assert seen == [f"ep_{number}" for number in range(6, -1, -1)]
    with pytest.raises(ConfigError, match="cursor"):
        store.episodes(after="nonsense")


def test_open_and_closed_episodes_of_a_model(store: ControlStore) -> None:
    """Filters and counts agree."""
    write(store, EpisodeRecord(episodes=[episode(1), episode(2, ended=9), episode(3, model="other"), episode(4)]))
    assert [item.id for item in store.episodes("open", "late")[0]] == ["ep_4", "ep_1"]
    assert [item.id for item in store.episodes("closed")[0]] == ["ep_2"]
    assert store.open_episodes() == {"late": 2, "other": 1}
    write(store, EpisodeRecord(episodes=[episode(1, ended=9)]))
    assert store.open_episodes() == {"late": 1, "other": 1}


def test_an_episode_of_a_version_that_kept_no_reading_at_firing_is_read(store: ControlStore) -> None:
    """Its reading is the one that fired while nothing has escalated it; after that nobody knows."""
    write(store, EpisodeRecord(episodes=[episode(2), msgspec.structs.replace(episode(8), level=Level.CRITICAL)]))
    with store.write() as connection:
        for payload in connection.execute(select(EPISODE.c.id, EPISODE.c.payload)).all():
            old = json.loads(payload.payload)
            old.pop("fired", None)
            connection.execute(update(EPISODE).where(EPISODE.c.id == payload.id).values(payload=json.dumps(old)))
    unescalated, escalated = store.episode("ep_2"), store.episode("ep_8")
    assert unescalated is not None
    assert escalated is not None
    assert (unescalated.first, escalated.first) == (READING, None)
    assert escalated.document()["at_firing"] is None


def test_episodes_of_one_monitor(store: ControlStore) -> None:
    """The list narrows to a monitor of a model."""
    write(store, EpisodeRecord(episodes=[episode(1), msgspec.structs.replace(episode(2), monitor="nulls"), episode(3, model="other")]))
    assert [item.id for item in store.episodes(None, "late", monitor="drift")[0]] == ["ep_1"]


def test_an_episode_comes_back_whole_with_its_deliveries(store: ControlStore) -> None:
    """Snapshot and deliveries included; an unknown one is None."""
    write(store, EpisodeRecord(episodes=[episode(1)], deliveries=[delivery(2), delivery(1)]))
    assert store.episode("ep_1") == msgspec.structs.replace(episode(1), deliveries=(delivery(2), delivery(1)))
    assert store.episode("ep_9") is None


def test_rules_and_timelines_come_back(store: ControlStore) -> None:
    """A rule replaces its predecessor, a transition follows it."""
    rule = Rule(model="late", monitor="drift", column="temp", segment="all", windows=(SeenWindow(0, 1, 2, Verdict.WARN, True),), floor=-5)
    entries = [
        Transition(
            episode="ep_1",
            at=number,
            before=State.NORMAL,
            after=State.FIRING,
            level=Level.WARN,
            reason="because",
            window_start=0,
            window_end=1,
            revision=1,
            recorded=5,
        )
        for number in (3, 1)
    ]
    write(store, EpisodeRecord(rules=[Rule(model="late", monitor="drift", column="temp", segment="all")], transitions=entries[:1]))
    write(store, EpisodeRecord(rules=[rule], transitions=entries[1:]))
    with store.recording() as ledger:
        assert ledger.rules("late", "drift") == [rule]
        assert ledger.rules("late", "other") == []
    assert store.transitions("ep_1") == entries


def test_what_is_due_is_the_oldest_of_an_episode_for_each_destination(store: ControlStore) -> None:
    """One whose time has not come holds what came later about its episode there, and no other."""
    rows = [delivery(1, "a", due=50), delivery(2, "a"), delivery(3, "b"), delivery(4, "b")]
    write(store, EpisodeRecord(deliveries=[*rows, msgspec.structs.replace(delivery(5, "c"), state=DeliveryState.NOT_SENT)]))
    assert [row.id for row in store.due(10)] == ["msg_3"]
    store.settle(msgspec.structs.replace(rows[2], state=DeliveryState.DELIVERED, attempts=1, last_status=204))
    assert [row.id for row in store.due(50)] == ["msg_4", "msg_1"]
    assert store.delivery_counts() == {
        DeliveryState.PENDING: 3,
        DeliveryState.DELIVERED: 1,
        DeliveryState.DEAD: 0,
        DeliveryState.NOT_SENT: 1,
    }


def test_what_is_claimed_is_given_to_nobody_else_until_its_lease_is_over(store: ControlStore) -> None:
    """Nor is what stands behind it; settled, the next one's turn comes at once."""
    rows = [delivery(1, "a"), delivery(2, "a"), delivery(3, "b", due=5)]
    write(store, EpisodeRecord(deliveries=rows))
    assert [row.id for row in store.due(10, limit=1, lease=100)] == ["msg_1"]
    assert [row.id for row in store.due(10, lease=100)] == ["msg_3"]
    assert store.due(109, lease=100) == []
    store.settle(msgspec.structs.replace(rows[2], state=DeliveryState.DELIVERED, attempts=1))
    (again,) = store.due(110, lease=100)
    assert again.id == "msg_1"
    store.settle(msgspec.structs.replace(again, state=DeliveryState.DEAD, attempts=1))
    assert [row.id for row in store.due(110, lease=100)] == ["msg_2"]


def test_what_is_done_stays_done(store: ControlStore) -> None:
    """Who outlived the lease comes too late."""
    write(store, EpisodeRecord(deliveries=[delivery(1)]))
    (late,) = store.due(0, lease=10)
    (again,) = store.due(10, lease=10)
    store.settle(msgspec.structs.replace(again, state=DeliveryState.DELIVERED, attempts=1))
    store.settle(msgspec.structs.replace(late, attempts=1, due=99, reason="no answer"))
    assert store.due(1_000) == []
    assert store.delivery_counts()[DeliveryState.DELIVERED] == 1


def test_claimers_at_the_same_time_share_the_work(store: ControlStore) -> None:
    """Forty destinations, four claimers: each is claimed once, and nobody waits for one who waits."""
    write(store, EpisodeRecord(deliveries=[delivery(number, f"to-{number % 40}") for number in range(80)]))
    with ThreadPoolExecutor(4) as pool:
        claimed = [row.id for rows in pool.map(lambda _: store.due(0, 3, lease=100), range(20)) for row in rows]
    assert sorted(claimed) == sorted(f"msg_{number}" for number in range(40))


def test_one_notification_is_not_queued_twice(store: ControlStore) -> None:
    """Its id is unique, and the step that tried leaves nothing."""
    write(store, EpisodeRecord(deliveries=[delivery(1)]))
    with pytest.raises(Fatal, match="outbox"):
        write(store, EpisodeRecord(episodes=[episode(1)], deliveries=[delivery(1)]))
    assert store.episode("ep_1") is None
