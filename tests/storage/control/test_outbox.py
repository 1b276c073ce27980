"""The queue of a destination: what is urgent first, order within an episode, a circuit breaker, and what is left out."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment
from core.destination import Destination
from core.endpoint import BREAKS, Tried
from core.episode import Delivery, DeliveryState, EpisodeRecord
from storage.control.store import ControlStore


def row(number: int, episode: str, type_: str = "episode.fired", **changes: Any) -> Delivery:
    made = Delivery(id=f"msg_{number}", destination="oncall", episode=episode, type=type_, body="{}", created=0, due=0)
    return msgspec.structs.replace(made, **changes)


def write(store: ControlStore, *rows: Delivery) -> None:
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(deliveries=list(rows)))


def tried(store: ControlStore, now: int, status: int, **changes: Any) -> list[str]:
    """Attempt what is next at a time, with this answer. Returns what it was."""
    due = store.due(now, lease=moment.MINUTE)
    for one in due:
        state = DeliveryState.DELIVERED if status < 300 else DeliveryState.DEAD if status == 410 else DeliveryState.PENDING
        after = msgspec.structs.replace(one, state=state, attempts=one.attempts + 1, due=now + moment.HOUR, last_status=status)
        store.settle(after, Tried(began=now, ended=now, status=status, luck=1.0, gone=status == 410, **changes))
    return [one.id for one in due]


def test_what_is_urgent_goes_first_and_a_failure_holds_its_own_episode_only(store: ControlStore) -> None:
    """A page overtakes reports of other episodes, and nothing overtakes what is about its own."""
    write(store, row(1, "a"), row(2, "b"), row(3, "c", rank=2), row(4, "a", rank=2))
    assert [tried(store, 1, 200 if number else 500) for number in range(4)] == [["msg_3"], ["msg_1"], ["msg_4"], ["msg_2"]]
    assert tried(store, 2, 200) == []
    assert tried(store, 1 + moment.HOUR, 200) == ["msg_3"]


def test_a_receiver_that_is_away_gets_a_probe_now_and_then_and_everything_when_it_is_back(store: ControlStore) -> None:
    """After failures in a row one attempt in each pause, which grows up to five minutes; what was tried least is the probe; success makes all due."""
    write(store, *(row(number, f"ep_{number}") for number in range(8)))
    for number in range(BREAKS):
        assert tried(store, number, 500) == [f"msg_{number}"]
    assert tried(store, BREAKS, 500) == []
    assert [one.attempts for one in store.failing(3)] == [BREAKS]
    now, pauses = BREAKS - 1, []
    for probe in ("msg_5", "msg_6", "msg_7", "msg_0", "msg_1", "msg_2"):
        before = now
        while not (sent := tried(store, now, 500)):
            now += moment.SECOND
        assert sent == [probe]
        pauses.append((now - before) // moment.SECOND)
    assert pauses == [15, 30, 60, 120, 240, 300]
    now += 5 * moment.MINUTE
    assert tried(store, now, 204) == ["msg_3"]
    assert [tried(store, now, 204) for _ in range(7)] == [[f"msg_{number}"] for number in (0, 1, 2, 4, 5, 6, 7)]
    assert store.failing(1) == []


def test_a_receiver_is_left_alone_as_it_asks(store: ControlStore) -> None:
    """By its pace after a success, and by Retry-After for all that waits."""
    write(store, *(row(number, f"ep_{number}") for number in range(3)))
    assert tried(store, 0, 200, pace=10) == ["msg_0"]
    assert (tried(store, 9, 200), tried(store, 10, 429, asked=100)) == ([], ["msg_1"])
    assert (tried(store, 109, 200), tried(store, 110, 200)) == ([], ["msg_2"])


def test_a_receiver_that_is_gone_pauses_its_destination(store: ControlStore) -> None:
    """410: the destination is disabled and the audit says why; what waits stays."""
    store.apply_destinations([Destination(name="oncall")])
    write(store, row(1, "a"), row(2, "b"))
    assert store.gone() == []
    assert (tried(store, 1, 410), tried(store, moment.DAY, 200)) == (["msg_1"], [])
    assert not store.destinations()[0].enabled
    assert store.gone() == ["oncall"]
    assert store.audit_entries()[0][0].actor == "delivery: the receiver answered 410, gone for good"


def test_what_was_never_sent_gives_way_to_what_says_more(store: ControlStore) -> None:
    """An episode that is over before anything was sent is not told at all; of what a receiver may know it is told the last state."""
    write(
        store,
        *(row(1, "over"), row(2, "over", "episode.resolved"), row(3, "worse"), row(4, "worse"), row(5, "known", begun=1)),
        *(row(6, "known"), row(7, "known", "episode.resolved"), row(8, "new", created=2 * moment.MINUTE)),
        row(9, "new", "episode.resolved", created=2 * moment.MINUTE),
    )
    sent = [one for _ in range(9) for one in tried(store, 2 * moment.MINUTE, 200)]
    assert sent == ["msg_4", "msg_5", "msg_7", "msg_8", "msg_9"]
    assert store.delivery_counts()[DeliveryState.NOT_SENT] == 4


def test_a_page_does_not_wait_for_a_long_queue(store: ControlStore) -> None:
    """However much waits for the same destination, the page is the next."""
    write(store, *(row(number, f"ep_{number}") for number in range(3_000)), row(9_999, "page", rank=2))
    assert tried(store, 1, 200) == ["msg_9999"]
