"""Open alerts are told again to a receiver that forgets them, and ends for a while."""

from __future__ import annotations

import json

import pytest

from alerts.deliver import Deliverer
from alerts.destination.document import destination_from
from alerts.destination.secret_file import SecretFiles
from alerts.engine import AlertEngine
from alerts.exchange import Exchange
from alerts.resend import AGAIN, repeat
from core import moment
from core.clock import ManualClock
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import MONITOR, reading

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_what_is_open_is_repeated_with_a_later_end_and_an_end_for_five_minutes(
    store: ControlStore, clock: ManualClock, receiver: Receiver
) -> None:
    """Until the episode is over; nothing is repeated that was not taken first."""
    url = receiver.url.removesuffix("/hook")
    store.apply_destinations([destination_from({"destination": "am", "kind": "alertmanager", "url": url})])
    engine, deliverer, wire = AlertEngine(store, clock, MEASURES), Deliverer(store, clock), Exchange()

    def ends() -> list[int]:
        """When the alerts of the newest calls end, from now."""
        before = len(receiver.calls)
        repeat(store, wire, SecretFiles(), clock.now())
        return [moment.parse(one["endsAt"]) - clock.now() for call in receiver.calls[before:] for one in json.loads(call.body)]

    engine.observe(MONITOR, [reading(0, "critical")])
    assert ends() == []
    deliverer.deliver_due()
    assert ends() == [5 * AGAIN]
    clock.advance(moment.DAY)
    assert ends() == [5 * AGAIN]
    engine.observe(MONITOR, [reading(1, "ok")])
    deliverer.deliver_due()
    clock.advance(4 * AGAIN)
    assert ends() == [-4 * AGAIN]
    clock.advance(AGAIN)
    assert ends() == []
    wire.close()
    deliverer.stop()
