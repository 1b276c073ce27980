"""Slack and PagerDuty, as their APIs behave: what fires is shown once, what ends is closed, and a secret is changed under way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from alerts.deliver import Deliverer
from alerts.destination.document import destination_from
from alerts.destination.secret_file import SecretFiles
from alerts.engine import AlertEngine
from alerts.policy.watch import PolicyWatch
from core import moment
from core.clock import ManualClock
from core.episode import DeliveryState
from core.policy import Policy
from core.reading import Reading
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.doubles import PagerDuty, Slack
from tests.alerts.sample import MONITOR, reading

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
_OLD, _NEW = "R0123456789abcdef0123456789abcde", "R9876543210abcdef0123456789abcde"
_EVER = 40 * 366 * moment.DAY


def _tell(store: ControlStore, clock: ManualClock, deliverer: Deliverer, readings: Sequence[Reading]) -> None:
    """Rules, policy and delivery, once."""
    AlertEngine(store, clock, MEASURES, _EVER, address="http://w").observe(MONITOR, readings)
    PolicyWatch(store, clock, _EVER, address="http://w").look()
    deliverer.deliver_due()
    clock.advance(moment.MINUTE)


def test_both_are_told_and_a_new_key_takes_the_place_of_the_old_one(store: ControlStore, clock: ManualClock, tmp_path: Path) -> None:
    """A group is one incident. With the old key PagerDuty refuses for good; with the new one in the file a replay is taken, and the end closes the incident. Slack's limit is kept."""
    key = tmp_path / "key"
    key.write_text(_OLD)
    with Slack() as slack, PagerDuty(_OLD) as duty:
        store.apply_destinations(
            [
                destination_from({"destination": "team", "kind": "slack", "url": slack.hook}),
                destination_from({"destination": "oncall", "kind": "pagerduty", "url": duty.enqueue, "routing_key_file": str(key)}),
            ]
        )
        store.apply_policies([Policy(name="default", group_wait=0, group_interval=0)])
        deliverer = Deliverer(store, clock, files=SecretFiles([str(tmp_path)]))
        _tell(store, clock, deliverer, [reading(0, "warn")])
        assert (len(slack.messages), len(duty.open())) == (1, 1)
        duty.key = _NEW
        _tell(store, clock, deliverer, [reading(1, "critical")])
        (refused,) = store.deliveries(DeliveryState.DEAD, None, 10, None)[0]
        assert (refused.destination, refused.last_status, "Invalid routing key" in refused.reason) == ("oncall", 400, True)
        assert _OLD not in refused.reason
        key.write_text(_NEW)
        store.replay(refused.id, "ada")
        _tell(store, clock, deliverer, [])
        assert [(one["status"], one["events"]) for one in duty.incidents] == [("triggered", 2)]
        _tell(store, clock, deliverer, [reading(2, "ok")])
        deliverer.stop()
        assert [(one["status"], one["events"]) for one in duty.incidents] == [("resolved", 3)]
        assert "temp" in slack.messages[0]["text"]
        assert 400 not in slack.statuses
