"""Rows that are read by many names come whole and in order, on each database."""

from __future__ import annotations

from core.episode import Delivery, DeliveryState, EpisodeRecord
from storage.control.bulk import CHUNK, read_rows
from storage.control.schema import OUTBOX
from storage.control.store import ControlStore


def test_rows_of_more_names_than_a_query_takes_are_read_as_they_were_written(store: ControlStore) -> None:
    """Names with NUL and backslashes, and the state that is stored under another word; of each name in the order in which they were written, and of no other name."""
    names = [f"ep_{place}\0\\0" for place in range(CHUNK + 20)]
    states = (DeliveryState.DEAD, DeliveryState.PENDING)
    made = [
        Delivery(id=f"msg_{at}_{name}", destination="d", episode=name, type="t", body="{}", created=at, due=0, state=state)
        for at, state in enumerate(states)
        for name in (*names, "another")
    ]
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(deliveries=made))
    with store.read() as connection:
        rows = list(read_rows(connection, OUTBOX, ("episode", "state", "created"), "episode", [*names, "nobody"], "sequence"))
        assert list(read_rows(connection, OUTBOX, ("episode",), "episode", [], "sequence")) == []
    found: dict[str, list[tuple[str, int]]] = {}
    for name, state, created in rows:
        found.setdefault(name, []).append((state, created))
    assert found == {name: [(state.value, at) for at, state in enumerate(states)] for name in names}
