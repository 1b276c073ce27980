"""Several deliverers on one outbox: each notification once, in order; and none is lost with the one that had claimed it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerts.deliver import LEASE, Deliverer
from compose.servers.postgres import Postgres
from core import moment
from core.clock import SystemClock
from core.episode import Delivery, DeliveryState, EpisodeRecord
from storage.control.store import ControlStore
from tests.alerts.receiver import HELD, Receiver
from tests.alerts.sample import at
from tests.started import started

DELIVER = """
import sys, time
from alerts.deliver import Deliverer
from core.clock import SystemClock
from storage.control.store import ControlStore
Deliverer(ControlStore(sys.argv[1]), SystemClock(), poll=0.05, lease=2_000_000).start()
time.sleep(60)
"""


def fill(store: ControlStore, receiver: Receiver, names: Sequence[str], count: int) -> None:
    """So many notifications to each destination, one after the other."""
    store.apply_destinations([at(receiver.url, name=name) for name in names])
    now = SystemClock().now()
    rows = [
        Delivery(
            id=f"msg_{name}_{number}",
            destination=name,
            episode="ep_1",
            type="episode.fired",
            body=json.dumps([name, number]),
            created=now,
            due=now,
        )
        for number in range(count)
        for name in names
    ]
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(deliveries=rows))


@contextmanager
def delivering(*urls: str, lease: int = LEASE) -> Iterator[None]:
    """A deliverer for each URL, with a store of its own as a process has it."""
    stores = [ControlStore(url) for url in urls]
    deliverers = [Deliverer(store, SystemClock(), poll=0.02, lease=lease) for store in stores]
    for deliverer in deliverers:
        deliverer.start()
    try:
        yield
    finally:
        for deliverer, store in zip(deliverers, stores, strict=True):
            deliverer.stop()
            store.close()


def test_each_notification_is_sent_once_and_in_order(url: str, store: ControlStore, receiver: Receiver) -> None:
    """Three deliverers, six destinations: nothing twice, and no destination's later one before its earlier one."""
    names = [f"to-{number}" for number in range(6)]
    fill(store, receiver, names, 10)
    with delivering(url, url, url):
        receiver.wait(60, 30)
    bodies = [json.loads(call.body) for call in receiver.calls]
    assert {name: [number for to, number in bodies if to == name] for name in names} == {name: list(range(10)) for name in names}
    assert store.delivery_counts()[DeliveryState.DELIVERED] == len(receiver.calls) == 60


def test_a_slow_receiver_holds_its_own_queue_only(url: str, store: ControlStore, receiver: Receiver) -> None:
    """No other deliverer sends a notification under way, nor those behind it; other destinations are served."""
    receiver.answers = [(HELD, {})]
    fill(store, receiver, ["slow"], 2)
    with delivering(url, url):
        receiver.wait(1)
        fill(store, receiver, ["quick"], 2)
        receiver.wait(3)
        assert [json.loads(call.body) for call in receiver.calls] == [["slow", 0], ["quick", 0], ["quick", 1]]
        receiver.release.set()
        receiver.wait(4)
    assert json.loads(receiver.calls[3].body) == ["slow", 1]


def test_what_a_killed_deliverer_had_claimed_is_sent_after_the_lease(url: str, store: ControlStore, receiver: Receiver) -> None:
    """By another, with the same id, before what came later."""
    receiver.answers = [(HELD, {})]
    fill(store, receiver, ["oncall"], 2)
    with started([sys.executable, "-c", DELIVER, url]):
        receiver.wait(1, 30)
    lease_ends = time.monotonic() + 2
    with delivering(url, lease=2 * moment.SECOND):
        receiver.wait(2)
        waited = time.monotonic() - lease_ends + 2
        receiver.wait(3)
    assert waited > 1
    assert [call.headers["webhook-id"] for call in receiver.calls] == ["msg_oncall_0", "msg_oncall_0", "msg_oncall_1"]


def test_what_was_sent_while_the_store_went_away_is_not_sent_again(
    tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The deliverer keeps the result until it can be saved, and goes on."""
    receiver.answers = [(HELD, {})]
    with Postgres(tmp_path) as server:
        store = ControlStore(server.url)
        store.migrate()
        fill(store, receiver, ["oncall"], 2)
        with delivering(server.url):
            receiver.wait(1)
            server.stop()
            receiver.release.set()
            noticed = time.monotonic() + 300
            while "a delivery waits for the store" not in caplog.text:
                assert time.monotonic() < noticed
                time.sleep(0.05)
            server.start()
            receiver.wait(2)
        assert store.delivery_counts()[DeliveryState.DELIVERED] == 2
        store.close()
    assert [call.headers["webhook-id"] for call in receiver.calls] == ["msg_oncall_0", "msg_oncall_1"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_lone_deliverer_that_was_killed_goes_on_at_once(url: str, store: ControlStore, receiver: Receiver) -> None:
    """Without a lease nothing is claimed, so nothing is to be waited for."""
    receiver.answers = [(HELD, {})]
    fill(store, receiver, ["oncall"], 1)
    with started([sys.executable, "-c", DELIVER.replace("lease=2_000_000", "lease=0"), url]):
        receiver.wait(1, 30)
    began = time.monotonic()
    with delivering(url, lease=0):
        receiver.wait(2)
    assert time.monotonic() - began < 1.5
