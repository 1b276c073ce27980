"""Changes of trust: told once, through restarts, and never by an owner that has lost the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from alerts.deliver import Deliverer
from alerts.destination.kafka import KEY, TRUST_TOPIC
from alerts.destination.message import Answer
from alerts.trust_watch import TrustWatch, tell
from core import moment
from core.clock import ManualClock
from core.destination import Destination
from core.episode import EpisodeRecord
from core.error import Fenced
from core.monitor import Monitor
from core.trust import Reason, Standing, Told, Trust, TrustState
from storage.control.ledger import Ledger
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import START, at

OWNED = "owner:late"


class States:
    """States that a test sets, by segment; `at` is the end of the newest window."""

    def __init__(self, **states: str) -> None:
        self.by_segment, self.at = states, START + moment.DAY

    def __call__(self, model: str, monitors: Sequence[Monitor], contract: int) -> Standing:
        """The states."""
        reasons = (Reason("Expected calibration error is 0.08", "uncertainty.ece", "", START),)
        found = [
            Trust(segment, "all", TrustState(state), START, () if state == "unknown" else reasons)
            for segment, state in self.by_segment.items()
        ]
        return Standing(found, self.at)


@pytest.fixture
def fence(store: ControlStore) -> tuple[str, int]:
    return OWNED, store.take(OWNED)


def trusting(url: str, **changes: object) -> Destination:
    """A destination that takes changes of trust only."""
    return at(url, name="application", events=("trust",), **changes)


def sent(receiver: Receiver) -> list[tuple[str, str, str]]:
    """Segment, state before and after of each message, in order."""
    data = [json.loads(call.body)["data"] for call in receiver.calls]
    return [(one["segment"], one["before"], one["state"]) for one in data]


def test_a_change_is_told_once_through_restarts(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """The message holds what GET answers; a place without a state is unknown; who looks again, or anew, tells nothing."""
    store.apply_destinations([trusting(receiver.url), at(receiver.url)])
    states, woken = States(all="trusted", **{"line=a": "unknown"}), list[int]()
    for _ in range(2):  # the second as after a restart
        watch = TrustWatch(store, states, clock, address="http://127.0.0.1:8650", wake=lambda: woken.append(1))
        for _ in range(2):
            watch.look("late", [], 1, fence)
    states.by_segment = {"all": "trusted", "line=a": "do_not_trust"}
    watch.look("late", [], 1, fence)
    states.by_segment = {"all": "trusted"}
    TrustWatch(store, states, clock).look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 3
    assert sent(receiver) == [
        ("all", "unknown", "trusted"),
        ("line=a", "unknown", "do_not_trust"),
        ("line=a", "do_not_trust", "unknown"),
    ]
    assert len(woken) == 2
    body = json.loads(receiver.calls[1].body)
    assert body == {
        "type": "trust.changed",
        "timestamp": "2013-07-03T00:00:00Z",
        "data": {
            "model": "late",
            "segment": "line=a",
            "version": "all",
            "state": "do_not_trust",
            "before": "unknown",
            "since": "2013-07-01T00:00:00Z",
            "reasons": [
                {
                    "text": "Expected calibration error is 0.08",
                    "measure": "uncertainty.ece",
                    "column": "",
                    "window_start": "2013-07-01T00:00:00Z",
                }
            ],
            "url": "http://127.0.0.1:8650/ui/models/late/trust",
        },
    }


def test_a_state_that_comes_back_is_told_again(store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]) -> None:
    """Each change has an id of its own, also the same change for the second time."""
    store.apply_destinations([trusting(receiver.url)])
    states = States()
    watch = TrustWatch(store, states, clock)
    for state in ("watch", "trusted", "watch"):
        clock.advance(1)
        states.by_segment = {"all": state}
        watch.look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 3
    assert [state for _, _, state in sent(receiver)] == ["watch", "trusted", "watch"]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 3


def test_state_and_notification_are_written_together_or_not_at_all(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends in between has told nothing, and the next one tells it, once."""
    store.apply_destinations([trusting(receiver.url)])

    def killed(_: Ledger, record: EpisodeRecord) -> None:
        assert record.deliveries
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            TrustWatch(store, States(all="watch"), clock).look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 0
    for _ in range(2):
        TrustWatch(store, States(all="watch"), clock).look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 1


def test_an_owner_that_has_lost_the_model_tells_nothing(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """Its states may be old."""
    store.apply_destinations([trusting(receiver.url)])
    store.take(OWNED)
    with pytest.raises(Fenced):
        TrustWatch(store, States(all="watch"), clock).look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 0


def test_what_is_old_or_not_asked_for_is_not_sent(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """A replayed past, a paused destination, one of other models, one of episodes only."""
    others = [
        trusting(receiver.url, models=("other",)),
        at(receiver.url),
        at(receiver.url, name="paused", events=("trust",), enabled=False),
    ]
    store.apply_destinations(others)
    states = States(all="watch")
    watch = TrustWatch(store, states, clock)
    watch.look("late", [], 1, fence)
    store.apply_destinations([trusting(receiver.url)])
    states.by_segment, states.at = {"all": "trusted"}, clock.now() - 2 * moment.DAY - 1
    watch.look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 0
    states.at = clock.now()
    states.by_segment = {"all": "watch"}
    watch.look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 1
    assert sent(receiver) == [("all", "unknown", "watch")]


def test_what_was_too_old_to_be_told_is_told_once_the_model_is_of_now(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """After days in which nothing was evaluated a receiver gets what differs from what it was told, although the change itself was old when it was found."""
    store.apply_destinations([trusting(receiver.url)])
    states = States(all="trusted")
    watch = TrustWatch(store, states, clock)
    watch.look("late", [], 1, fence)
    states.by_segment, states.at = {"all": "do_not_trust"}, clock.now() - 2 * moment.DAY - 1
    watch.look("late", [], 1, fence)
    states.at = clock.now()
    watch.look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 2
    assert sent(receiver) == [("all", "unknown", "trusted"), ("all", "trusted", "do_not_trust")]


def test_a_new_destination_is_told_the_states_that_there_are(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """Once, and nobody else is; so is one that was paused, whatever it missed."""
    store.apply_destinations([trusting(receiver.url)])
    states = States(all="trusted", **{"line=a": "unknown", "line=b": "watch"})
    TrustWatch(store, states, clock).look("late", [], 1, fence)
    told = [("all", "unknown", "trusted"), ("line=b", "unknown", "watch")]
    for change in ({"name": "second"}, {"name": "second", "enabled": False}, {"name": "second"}):
        clock.advance(1)
        store.apply_destinations([msgspec.structs.replace(trusting(receiver.url), **change)])
        for _ in range(2):
            TrustWatch(store, states, clock).look("late", [], 1, fence)
    Deliverer(store, clock).deliver_due()
    assert sent(receiver) == 3 * told


def test_what_an_earlier_version_has_told_is_known_to_all_who_are_there(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """It did not write to whom it told."""
    store.apply_destinations([trusting(receiver.url)])
    with store.recording(fence) as ledger:
        ledger.save_trust("late", Told({("all", "all"): TrustState.TRUSTED}, None))
    TrustWatch(store, States(all="trusted"), clock).look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 0


def test_nobody_looks_for_nobody(store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]) -> None:
    """Without a destination for it the states are not asked for; one that comes later is told what differs from what was told last."""
    store.apply_destinations([at(receiver.url)])
    asked = list[str]()

    def standing(model: str, monitors: Sequence[Monitor], contract: int) -> Standing:
        asked.append(model)
        return States(all="watch")(model, monitors, contract)

    watch = TrustWatch(store, standing, clock)
    watch.look("late", [], 1, fence)
    assert asked == []
    store.apply_destinations([trusting(receiver.url)])
    watch.look("late", [], 1, fence)
    assert (asked, Deliverer(store, clock).deliver_due(), sent(receiver)) == (["late"], 1, [("all", "unknown", "watch")])


def test_a_deleted_model_is_unknown(store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]) -> None:
    """Who relied on it is told."""
    store.apply_destinations([trusting(receiver.url)])
    TrustWatch(store, States(all="trusted"), clock).look("late", [], 1, fence)
    with store.retiring("ada") as change:
        assert tell("late", (), change, change.now, "")
        change.forget("trust:late")
    assert Deliverer(store, clock).deliver_due() == 2
    assert sent(receiver)[1] == ("all", "trusted", "unknown")


def test_a_console_writes_a_line(store: ControlStore, clock: ManualClock, fence: tuple[str, int], tmp_path: Path) -> None:
    """State, model, segment, the first reason, and where the page is."""
    file = tmp_path / "trust.log"
    store.apply_destinations([Destination(name="log", kind="console", settings={"file": str(file)}, events=("trust",))])
    TrustWatch(store, States(all="watch"), clock, address="http://w").look("late", [], 1, fence)
    assert Deliverer(store, clock).deliver_due() == 1
    assert file.read_text() == (
        "2013-07-03T00:00:00Z trust.changed watch late version all, all: Expected calibration error is 0.08 http://w/ui/models/late/trust\n"
    )


def test_the_topic_of_a_cluster_holds_all_states_however_old(store: ControlStore, clock: ManualClock, fence: tuple[str, int]) -> None:
    """Without any destination that takes trust, and of a replay of the past, of which others are not told; once a change, keyed by model, version and segment, also through a restart."""
    records: list[tuple[str, str, str]] = []

    def produce(topic: str, body: str, headers: Mapping[str, str]) -> Answer:
        records.append((topic, headers[KEY], json.loads(body)["data"]["state"]))
        return Answer(200)

    states = States(all="trusted", **{"line=a": "watch"})
    clock.advance(30 * moment.DAY)
    for _ in range(2):
        for _ in range(2):
            TrustWatch(store, states, clock, topic=TRUST_TOPIC).look("late", [], 1, fence)
        deliverer = Deliverer(store, clock, produce=produce, own=[TRUST_TOPIC])
        while deliverer.deliver_due():
            pass
    assert records == [("@trust", "late|all|all", "trusted"), ("@trust", "late|all|line=a", "watch")]
    states.by_segment = {"all": "trusted"}
    TrustWatch(store, states, clock, topic=TRUST_TOPIC).look("late", [], 1, fence)
    deliverer.deliver_due()
    assert records[2:] == [("@trust", "late|all|line=a", "unknown")]


def test_what_the_topic_holds_is_not_what_others_were_told(
    store: ControlStore, clock: ManualClock, receiver: Receiver, fence: tuple[str, int]
) -> None:
    """States of the past that only the topic got are told to a webhook when they are of now."""
    store.apply_destinations([trusting(receiver.url)])
    states = States(all="watch")
    states.at = clock.now() - 10 * moment.DAY
    watch = TrustWatch(store, states, clock, topic=TRUST_TOPIC)
    watch.look("late", [], 1, fence)
    states.at = clock.now()
    watch.look("late", [], 1, fence)
    Deliverer(store, clock, produce=lambda *_: Answer(200), own=[TRUST_TOPIC]).deliver_due()
    assert sent(receiver) == [("all", "unknown", "watch")]
