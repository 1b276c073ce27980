"""Deliveries: listed page by page, with their attempts; sent again by people; tests of destinations. All is in the audit."""

from __future__ import annotations

import msgspec
import pytest

from core import moment
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState
from core.error import ConfigError
from storage.control.store import ControlStore
from tests.storage.control.test_outbox import row, write


def dead(number: int, destination: str = "oncall") -> Delivery:
    return row(number, f"ep_{number}", state=DeliveryState.DEAD, attempts=9, reason="given up", destination=destination)


def test_the_list_is_complete_page_by_page(store: ControlStore) -> None:
    """The newest first, by state and destination."""
    write(store, dead(1), row(2, "b"), dead(3, "other"), dead(4))
    first, after = store.deliveries(DeliveryState.DEAD, limit=2)
    second, end = store.deliveries(DeliveryState.DEAD, limit=2, after=after)
    assert ([one.id for one in (*first, *second)], end) == (["msg_4", "msg_3", "msg_1"], None)
    assert [one.id for one in store.deliveries(None, "oncall")[0]] == ["msg_4", "msg_2", "msg_1"]
    with pytest.raises(ConfigError, match="cursor"):
        store.deliveries(after="x")


def test_attempts_are_kept(store: ControlStore) -> None:
    """Each with its answer, the last first."""
    write(store, row(1, "a"))
    for now, status in ((0, 500), (moment.HOUR, 204)):
        (due,) = store.due(now)
        state = DeliveryState.DELIVERED if status == 204 else DeliveryState.PENDING
        store.settle(msgspec.structs.replace(due, state=state), Tried(began=now, ended=now + 5, status=status, reason=f"answered {status}"))
    found = store.delivery("msg_1")
    assert found is not None
    assert [(one.began, one.status) for one in found[1]] == [(moment.HOUR, 204), (0, 500)]
    assert store.delivery("msg_9") is None


def test_what_was_given_up_is_sent_again(store: ControlStore) -> None:
    """One, or all of a destination, under the same id and for three more days; those of a deleted destination stay as they are."""
    store.apply_destinations([Destination(name="oncall"), Destination(name="other")])
    write(store, dead(1), dead(2), dead(3, "other"), dead(4, "deleted"), row(5, "e", state=DeliveryState.DELIVERED, begun=1))
    again = store.replay("msg_5", "ann")
    assert again is not None
    assert (again.state, again.attempts, again.waits_since > again.created) == (DeliveryState.PENDING, 0, True)
    assert store.replay_dead("oncall", "ann") == 2
    assert store.replay_dead(None, "ann") == 1
    assert store.replay("msg_9", "ann") is None
    with pytest.raises(ConfigError, match="no destination 'deleted' any more"):
        store.replay("msg_4", "ann")
    entries = [(entry.actor, entry.action, entry.subject) for entry in store.audit_entries()[0]]
    assert [entry for entry in entries if entry[1] == "delivery.replayed"] == [
        ("ann", "delivery.replayed", f"msg_{number}") for number in (3, 2, 1, 5)
    ]


def test_an_alert_that_is_over_does_not_begin_again(store: ControlStore) -> None:
    """Of what was given up, that stays of which the receiver has taken something later."""
    store.apply_destinations([Destination(name="oncall")])
    over = msgspec.structs.replace(dead(1), episode="over")
    write(store, over, row(2, "over", "episode.resolved", state=DeliveryState.DELIVERED, begun=1), dead(3))
    assert store.replay_dead(None, "ada") == 1
    assert [one.id for one in store.deliveries(DeliveryState.DEAD)[0]] == ["msg_1"]


def test_a_test_goes_the_way_of_every_notification_and_first(store: ControlStore) -> None:
    """Before all that waits; a paused destination is refused, and an unknown one is None."""
    store.apply_destinations([Destination(name="oncall"), Destination(name="paused", enabled=False)])
    write(store, row(1, "a", rank=2))
    made = store.test_destination("oncall", "http://127.0.0.1:8650", "ann")
    assert made is not None
    assert [one.id for one in store.due(made.due)] == [made.id]
    assert store.test_destination("nobody", "", "ann") is None
    with pytest.raises(ConfigError, match="is paused"):
        store.test_destination("paused", "", "ann")
    assert store.audit_entries()[0][0].action == "destination.tested"
