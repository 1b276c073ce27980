"""Delivery to a real receiver: signed, in order, at least once, patient."""

from __future__ import annotations

import json
import random
from collections.abc import Collection
from email.utils import format_datetime
from pathlib import Path

import msgspec
import pytest
from standardwebhooks import Webhook

from alerts import retry
from alerts.deliver import Deliverer
from alerts.destination import webhook
from alerts.destination.secret_file import SecretFiles
from alerts.engine import AlertEngine
from alerts.failure import failures
from core import moment
from core.clock import ManualClock, SystemClock
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import DESTINATION, MONITOR, SECRET, at, reading

DAYS = [reading(0, "critical"), reading(1, "ok")]


@pytest.fixture
def deliverer(store: ControlStore, clock: ManualClock, receiver: Receiver) -> Deliverer:
    store.apply_destinations([at(receiver.url)])
    return Deliverer(store, clock, dice=random.Random(1))


def deliveries(store: ControlStore) -> list[Delivery]:
    return [delivery for episode in store.episodes()[0] for delivery in episode.deliveries]


def test_a_receiver_verifies_what_it_gets_with_the_standard_library(store: ControlStore, receiver: Receiver) -> None:
    """Signature, id and timestamp are those of Standard Webhooks, as its own library reads them; the thread sends within moments."""
    store.apply_destinations([at(receiver.url)])
    deliverer = Deliverer(store, SystemClock())
    engine = AlertEngine(store, SystemClock(), MEASURES, notify_horizon=100_000 * moment.DAY, wake=deliverer.wake)
    deliverer.start()
    try:
        engine.observe(MONITOR, DAYS)
        receiver.wait(2)
    finally:
        deliverer.stop()
    bodies = [Webhook(SECRET).verify(call.body, call.headers) for call in receiver.calls]
    assert [body["type"] for body in bodies] == ["episode.fired", "episode.resolved"]
    assert [delivery.state for delivery in deliveries(store)] == [DeliveryState.DELIVERED] * 2


def test_failures_are_tried_again_in_order_with_the_same_id(
    store: ControlStore, clock: ManualClock, receiver: Receiver, deliverer: Deliverer
) -> None:
    """500, then 429 with Retry-After, then taken; what came later waits for its turn."""
    receiver.answers = [(500, {}), (429, {"Retry-After": "120"})]
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS)
    assert deliverer.deliver_due() == 1
    assert deliverer.deliver_due() == 0
    clock.advance(5 * moment.SECOND)
    assert deliverer.deliver_due() == 1
    clock.advance(119 * moment.SECOND)
    assert deliverer.deliver_due() == 0
    clock.advance(moment.SECOND)
    assert deliverer.deliver_due() == 2
    assert [call.status for call in receiver.calls] == [500, 429, 204, 204]
    assert [json.loads(call.body)["type"] for call in receiver.calls] == ["episode.fired"] * 3 + ["episode.resolved"]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 2
    assert [(row.attempts, row.last_status, row.state) for row in deliveries(store)] == [
        (3, 204, DeliveryState.DELIVERED),
        (1, 204, DeliveryState.DELIVERED),
    ]


def test_a_delivery_killed_between_sending_and_saving_is_sent_again_with_its_id(
    url: str, store: ControlStore, clock: ManualClock, receiver: Receiver, deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: the receiver can drop the second by its id."""
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "settle", killed)
    with pytest.raises(KeyboardInterrupt):
        deliverer.deliver_due()
    again = ControlStore(url, clock)
    assert Deliverer(again, clock).deliver_due() == 1
    first, second = receiver.calls
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    again.close()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, DeliveryState.DELIVERED),
        (301, DeliveryState.PENDING),
        (400, DeliveryState.DEAD),
        (401, DeliveryState.PENDING),
        (404, DeliveryState.PENDING),
        (410, DeliveryState.DEAD),
        (503, DeliveryState.PENDING),
    ],
)
def test_the_status_decides(
    store: ControlStore, clock: ManualClock, receiver: Receiver, deliverer: Deliverer, status: int, state: DeliveryState
) -> None:
    """A status about the message is final, one about the receiver may be temporary; a redirect is not followed."""
    receiver.answers = [(status, {"Location": receiver.url})]
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    deliverer.deliver_due()
    (delivery,) = deliveries(store)
    assert (len(receiver.calls), delivery.state, delivery.attempts, delivery.last_status) == (1, state, 1, status)
    assert str(status) in delivery.reason or state is DeliveryState.DELIVERED


def test_after_three_days_it_gives_up_and_the_next_one_is_sent(
    store: ControlStore, clock: ManualClock, receiver: Receiver, deliverer: Deliverer
) -> None:
    """A dead notification says why, and does not block the destination for ever."""
    receiver.answers = [(503, {})] * 100
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    for _ in range(80):
        deliverer.deliver_due()
        clock.advance(moment.HOUR)
    attempts = len(receiver.calls)
    assert (
        60 < attempts <= 73
    )  # at once, then by the schedule until it is clear that the receiver is away, then a probe every hour that this test lets pass
    receiver.answers = []
    AlertEngine(store, clock, MEASURES, notify_horizon=30 * moment.DAY).observe(MONITOR, [reading(0, "ok", 2)])
    deliverer.deliver_due()
    dead, alive = deliveries(store)
    assert (dead.state, dead.reason, dead.attempts) == (DeliveryState.DEAD, "given up after three days: answered 503", attempts)
    assert alive.state is DeliveryState.DELIVERED


def test_one_dead_destination_does_not_hold_the_others(
    store: ControlStore, clock: ManualClock, receiver: Receiver, deliverer: Deliverer
) -> None:
    """Order is kept for each destination, not across them; a refused connection names no address."""
    store.apply_destinations([at("http://127.0.0.1:9/hidden?token=hidden", name="dead")])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS)
    deliverer.deliver_due()
    states = {(row.destination, row.type): row for row in deliveries(store)}
    assert len(receiver.calls) == 2
    assert states["dead", "episode.fired"].reason == "no answer: ConnectError"
    assert states["dead", "episode.resolved"].attempts == 0


def test_a_secret_is_read_anew_and_a_missing_one_is_waited_for(
    tmp_path: Path, store: ControlStore, clock: ManualClock, receiver: Receiver
) -> None:
    """A rotated secret needs no restart, and nothing is ever sent unsigned."""
    file = tmp_path / "secret"
    store.apply_destinations([msgspec.structs.replace(DESTINATION, settings={"url": receiver.url, "secret_file": str(file)})])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    deliverer = Deliverer(store, clock, files=SecretFiles([str(tmp_path)]))
    deliverer.deliver_due()
    assert deliveries(store)[0].reason == "the secret's file cannot be read: No such file or directory"
    assert receiver.calls == []
    file.write_text(SECRET + "\n")
    clock.advance(5 * moment.SECOND)
    deliverer.deliver_due()
    assert [call.status for call in receiver.calls] == [204]


def test_a_console_writes_a_line_for_each_notification(
    tmp_path: Path, store: ControlStore, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all that a person needs, to a file or to standard output; a file that cannot be written is waited for."""
    file = tmp_path / "folder" / "episodes.log"
    store.apply_destinations(
        [Destination(name="log", kind="console", settings={"file": str(file)}), Destination(name="out", kind="console")]
    )
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    deliverer = Deliverer(store, clock)
    deliverer.deliver_due()
    (line,) = capsys.readouterr().out.splitlines()
    assert " episode.fired critical late/drift: Population stability index of temp is 0.31; critical from 0.25" in line
    assert "the line cannot be written: No such file or directory" in {one.reason for one in deliveries(store)}
    file.parent.mkdir()
    clock.advance(5 * moment.SECOND)
    deliverer.deliver_due()
    assert file.read_text().splitlines() == [line]
    assert {one.state for one in deliveries(store)} == {DeliveryState.DELIVERED}


def test_a_console_follows_no_link(tmp_path: Path, store: ControlStore, clock: ManualClock) -> None:
    """Nobody writes into another file by the name of a log."""
    (tmp_path / "victim").touch()
    (tmp_path / "a.log").symlink_to(tmp_path / "victim")
    store.apply_destinations([Destination(name="log", kind="console", settings={"file": str(tmp_path / "a.log")})])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    Deliverer(store, clock).deliver_due()
    assert deliveries(store)[0].reason.startswith("the line cannot be written")
    assert (tmp_path / "victim").read_text() == ""


def test_a_host_that_encodes_no_name_is_a_failure_like_another(store: ControlStore, clock: ManualClock, deliverer: Deliverer) -> None:
    """It is counted and tried later, as an attempt that is not saved would begin again at once and for ever."""
    store.apply_destinations([at("http://xn--a.example/")])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    assert deliverer.deliver_due() == 1
    (delivery,) = deliveries(store)
    assert (delivery.state, delivery.attempts, delivery.reason) == (DeliveryState.PENDING, 1, "no answer: InvalidCodepoint")


def test_the_signature_is_that_of_the_standard_library() -> None:
    """Ours and theirs are the same, byte for byte."""
    delivery = Delivery(id="msg_1", destination="oncall", episode="ep_1", type="t", body='{"ü": 1}', created=0, due=0)
    headers = webhook.render(DESTINATION.settings, delivery, 1_700_000_000_999_999).headers
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == Webhook(SECRET).sign("msg_1", moment.to_datetime(1_700_000_000_000_000), delivery.body)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (format_datetime(moment.to_datetime(60 * moment.SECOND), usegmt=True), 60),
        ("soon", 5),
        ("-5", 5),
        ("9" * 30, 86_400),
        (f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", 5),
        (f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}", 5),
    ],
)
def test_retry_after_is_honoured_in_both_forms_and_for_a_day_at_most(header: str, seconds: int) -> None:
    """Seconds or a date; nonsense is ignored."""

    class Never(random.Random):
        def random(self) -> float:
            return 1.0

    assert retry.wait(1, header, 0, Never()) == seconds * moment.SECOND


def test_the_thread_outlives_a_store_that_fails(
    store: ControlStore, clock: ManualClock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is logged; what could not be read or saved is tried again."""
    store.apply_destinations([at(receiver.url)])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    due, settle = store.due, store.settle
    failures = ["due", "settle"]

    def fail(name: str) -> None:
        if name in failures:
            failures.remove(name)
            raise OSError(name)

    def failing_due(now: int, limit: int, lease: int, busy: Collection[str]) -> list[Delivery]:
        fail("due")
        return due(now, limit, lease, busy)

    def failing_settle(delivery: Delivery, tried: Tried | None) -> None:
        fail("settle")
        settle(delivery, tried)

    monkeypatch.setattr(store, "due", failing_due)
    monkeypatch.setattr(store, "settle", failing_settle)
    deliverer = Deliverer(store, clock, poll=0.01)
    deliverer.start()
    receiver.wait(2)
    deliverer.stop()
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert deliveries(store)[0].state is DeliveryState.DELIVERED
    assert [record.message.split(" ")[0] for record in caplog.records if record.levelname == "ERROR"] == ["the", "an"]


def test_a_test_of_a_console_arrives(store: ControlStore, clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    """As a line with what it is."""
    store.apply_destinations([Destination(name="out", kind="console")])
    made = store.test_destination("out", "http://127.0.0.1:8650", "ada")
    deliverer = Deliverer(store, clock)
    deliverer.deliver_due()
    deliverer.stop()
    assert made is not None
    assert "destination.test Nothing is wrong: ada asked whether notifications to out arrive." in capsys.readouterr().out
    assert store.deliveries(DeliveryState.DELIVERED)[0][0].id == made.id


def test_a_destination_whose_notification_was_refused_is_named(store: ControlStore, clock: ManualClock, receiver: Receiver) -> None:
    """With what to do, until it has taken one."""
    store.apply_destinations([at(receiver.url)])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, DAYS[:1])
    receiver.answers = [(400, {})]
    deliverer = Deliverer(store, clock)
    deliverer.deliver_due()
    (sentence,) = failures(store)
    assert sentence.startswith("destination oncall: its notification msg_")
    assert "was given up: refused: answered 400" in sentence
    clock.advance(moment.MINUTE)
    store.test_destination("oncall", "", "ada")
    deliverer.deliver_due()
    deliverer.stop()
    assert failures(store) == []
