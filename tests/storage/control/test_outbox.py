"""The queue of a destination: what is urgent first, order within an episode, a circuit breaker, and what is left out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, text

from core import moment
from core.destination import Destination
from core.endpoint import BREAKS, Endpoint, Tried
from core.episode import TEST, Delivery, DeliveryState, EpisodeRecord
from core.trust import CHANGED
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
        to = next((to for to in store.destinations() if to.name == one.destination), None)
        store.settle(after, Tried(began=now, ended=now, status=status, luck=1.0, gone=status == 410, **{"to": to, **changes}))
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


def test_what_is_of_no_thread_waits_for_nothing(store: ControlStore) -> None:
    """A notification that fails holds up its own episode or place, and a new test is the probe of a receiver that was away."""
    write(store, row(1, "trust|a|1|all"), row(2, "trust|b|1|all"), row(3, ""), row(4, ""))
    assert [tried(store, number, 500) for number in range(BREAKS)] == [["msg_1"], ["msg_2"], ["msg_3"], ["msg_4"], []]
    assert tried(store, 2 * moment.HOUR, 500) == ["msg_1"]
    write(store, row(5, "", TEST), row(6, "c"))
    assert tried(store, 3 * moment.HOUR, 200) == ["msg_5"]


def test_no_change_of_trust_is_left_out(store: ControlStore) -> None:
    """However long it has waited: each is told once."""
    write(store, row(1, "trust|a|1|all", CHANGED), row(2, "trust|a|1|all", CHANGED))
    assert [tried(store, moment.HOUR, 200) for _ in range(2)] == [["msg_1"], ["msg_2"]]


def test_what_a_corrected_or_new_destination_finds_is_its_own(store: ControlStore) -> None:
    """Failures of the address before are forgotten, and an attempt there that ends later says nothing of the new one, also not 410."""
    before, after = (Destination(name="oncall", settings={"url": f"http://{name}.example.org"}) for name in ("old", "new"))
    store.apply_destinations([before])
    write(store, *(row(number, f"ep_{number}") for number in range(BREAKS + 1)))
    assert [len(tried(store, number, 500)) for number in range(BREAKS + 1)] == [1] * BREAKS + [0]
    (under_way,) = store.due(moment.HOUR, lease=moment.MINUTE)
    store.apply_destinations([after])
    assert store.failing(1) == []
    dead = msgspec.structs.replace(under_way, state=DeliveryState.DEAD, attempts=1, last_status=410)
    store.settle(dead, Tried(began=0, ended=moment.HOUR, status=410, gone=True, to=before))
    assert store.destinations() == [after]
    assert store.endpoints() == [Endpoint(destination="oncall")]
    assert [tried(store, 2 * moment.HOUR, 200) for _ in range(BREAKS)] == [[f"msg_{number}"] for number in range(BREAKS)]
    with store.retiring() as retiring:
        retiring.destination("oncall")
    assert store.endpoints() == []


def test_a_receiver_that_was_gone_is_not_once_it_has_taken_something(store: ControlStore) -> None:
    """The end of what was refused says so, however old refusals are."""
    store.apply_destinations([Destination(name="oncall")])
    write(store, row(1, "a"), row(2, "b"))
    assert tried(store, 1, 410) == ["msg_1"]
    store.apply_destinations([Destination(name="oncall")])
    assert ([one.id for one in store.given_up()], tried(store, 2, 200), store.given_up()) == (["msg_1"], ["msg_2"], [])
    store.apply_destinations([Destination(name="oncall", enabled=False)])
    assert store.gone() == []


def test_a_receiver_is_not_claimed_before_it_may_be_sent_to(store: ControlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have sent there since it was found free. To those that are busy nothing is begun."""
    write(store, row(1, "a"), row(2, "b"), row(3, "c", destination="other"))
    assert tried(store, 0, 429, asked=100) == ["msg_1", "msg_3"]
    stale = [Endpoint(destination="oncall"), Endpoint(destination="other")]
    monkeypatch.setattr("storage.control.outbox._ready", lambda *_: stale)
    assert store.due(99, lease=10) == []
    assert [one.id for one in store.due(100, lease=10, busy=["other"])] == ["msg_2"]
    assert {one.id: one.begun for one in store.deliveries()[0]} == {"msg_1": 0, "msg_2": 100, "msg_3": 0}


def test_where_nothing_waits_one_question_is_asked(store: ControlStore) -> None:
    """Each process asks ten times a second, whatever destinations there are."""
    store.apply_destinations([Destination(name="oncall"), Destination(name="other")])
    write(store, row(1, "a"))
    assert tried(store, 1, 200) == ["msg_1"]
    asked: list[str] = []

    def hear(*given: Any) -> None:
        asked.append(given[2])

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        assert store.due(2, lease=10) == []
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert [statement for statement in asked if "destinations" in statement or "endpoints" in statement] == []
    assert any("outbox" in statement for statement in asked)


def test_processes_of_version_0_1_0_go_on_beside_new_ones(store: ControlStore) -> None:
    """What is given up has the word that they know, and what is under way is not due for them."""
    write(store, row(1, "a"), row(2, "b"), row(3, "c", state=DeliveryState.DEAD))
    with store.write() as connection:
        connection.execute(text("UPDATE outbox SET state = 'failed' WHERE id = 'msg_2'"))
    assert [one.id for one in store.due(5, lease=10)] == ["msg_1"]
    with store.read() as connection:
        rows = connection.execute(text("SELECT state, due FROM outbox ORDER BY sequence")).all()
    assert [tuple(one) for one in rows] == [("pending", 15), ("failed", 0), ("failed", 0)]
    assert [one.id for one in store.deliveries(DeliveryState.DEAD)[0]] == ["msg_3", "msg_2"]
    assert store.delivery_counts()[DeliveryState.DEAD] == 2


def standing(store: ControlStore, *rows: Delivery) -> list[str]:
    """What is repeated if these are all."""
    write(store, *rows)
    return [one.id for one in store.standing("oncall", 0)]


def test_what_was_taken_last_stands_until_an_end_was_begun(store: ControlStore) -> None:
    """A later notice that was refused leaves it standing; an end that may have arrived, or was given up, does not. Tests do not stand."""
    taken: dict[str, Any] = {"state": DeliveryState.DELIVERED, "begun": 1}
    assert standing(
        store,
        *(row(1, "worse", **taken), row(2, "worse", state=DeliveryState.DEAD, begun=2)),
        *(row(3, "ended", **taken), row(4, "ended", "episode.resolved", begun=2)),
        *(row(5, "lost", **taken), row(6, "lost", "episode.resolved", state=DeliveryState.DEAD)),
        *(row(7, "waits", **taken), row(8, "waits", "episode.resolved")),
        row(9, "", TEST, **taken),
        row(10, "", TEST, **taken),
    ) == ["msg_1", "msg_7"]


def test_places_of_trust_stand_while_something_is_wrong(store: ControlStore) -> None:
    """Each for itself."""
    taken: dict[str, Any] = {"state": DeliveryState.DELIVERED, "begun": 1}

    def told(number: int, place: str, state: str) -> Delivery:
        return row(number, place, CHANGED, body=json.dumps({"data": {"state": state}}), **taken)

    changes = [("a", "watch"), ("b", "do_not_trust"), ("c", "watch"), ("c", "trusted"), ("d", "watch"), ("d", "unknown")]
    assert standing(store, *(told(number, *one) for number, one in enumerate(changes))) == ["msg_0", "msg_1"]


def test_what_has_no_end_does_not_stand(store: ControlStore) -> None:
    """A verdict of a comparison and what waits for approval are told, and not repeated for ever."""
    taken: dict[str, Any] = {"state": DeliveryState.DELIVERED, "begun": 1}
    kinds = ("comparison.ready", "comparison.worse", "retrain.awaiting_approval", "retrain.worse", "episode.fired")
    assert standing(store, *(row(number, kind, kind, **taken) for number, kind in enumerate(kinds))) == ["msg_4"]
