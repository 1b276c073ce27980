"""The first event of each id is kept, later ones are dropped while the id is remembered, and every attempt of a batch keeps the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from ingest.first_seen import FirstSeen
from ingest.memory import RememberedIds
from ingest.record import Batch, Events
from tests.storage.facts.test_facts import CONTRACT, predictions

OTHER = msgspec.structs.replace(CONTRACT, model="n")
_ids = st.lists(st.sampled_from("abcdefgh"), max_size=4)
_batches = st.lists(st.tuples(_ids, _ids, st.integers(1, 3)), max_size=20)  # ids of two models, and positions


class _Row(NamedTuple):
    model: str
    id: str
    position: int


class Twin:
    """What is written, in memory; reading the ids back is told."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.over: list[tuple[int, int, int]] = []
        self.read: list[tuple[int, int]] = []

    def write(self, events: Events) -> None:
        """The batch, and that it is over."""
        rows = [_Row(contract.model, key, events.batch.first) for contract, block in events.predictions for key in block.id]
        self.rows += rows
        self.over.append((events.batch.first, events.batch.last, len(rows)))

    def known(self, model: str, partition: int, since: int, before: int, ids: Sequence[str]) -> set[str]:
        return {row.id for row in self.rows if row.model == model and since <= row.position < before} & set(ids)

    def batches(self, partition: int, before: int) -> Iterator[tuple[int, int]]:
        return ((first, rows) for first, last, rows in reversed(self.over) if last < before and rows)

    def ids(self, partition: int, first: int, last: int) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        self.read.append((first, last))
        for model in "mn":
            yield model, np.array([row.id for row in self.rows if row.model == model and first <= row.position <= last], object)


def cut(sizes: Sequence[tuple[list[str], list[str], int]]) -> list[Events]:
    """Batches that follow one another."""
    batches, first = [], 1
    for ids, others, positions in sizes:
        blocks = [(CONTRACT, predictions(ids, position=first)), (OTHER, predictions(others, position=first))]
        batches.append(Events(Batch("predictions", 0, first, first + positions - 1, []), predictions=blocks))
        first += positions
    return batches


def kept(events: Events) -> dict[str, list[str]]:
    """Ids by model."""
    return {contract.model: block.id.tolist() for contract, block in events.predictions}


@given(_batches, st.integers(0, 12), st.integers(0, 3), st.data())
def test_whoever_makes_an_attempt_keeps_the_same_rows(
    sizes: list[tuple[list[str], list[str], int]], most: int, behind: int, data: st.DataObject
) -> None:
    """One that has read on while up to three batches were not written, and one that begins with any batch after a crash, agree."""
    batches, store, done = cut(sizes), Twin(), list[Events]()
    check = FirstSeen(store, 0, 1, lambda: store.over[-1][1] + 1 if store.over else 1, most)
    for events in batches:
        while len(done) - len(store.over) > data.draw(st.integers(0, behind)):
            store.write(done[len(store.over)])
        done.append(check(events))
    for place, events in enumerate(batches):
        again = Twin()
        for before in done[:place]:
            again.write(before)
        fresh = FirstSeen(again, 0, events.batch.first, lambda first=events.batch.first: first, most)  # type: ignore[misc]
        assert kept(fresh(events)) == kept(done[place])


@given(_batches, st.integers(0, 12))
def test_an_id_is_dropped_if_and_only_if_it_is_remembered(sizes: list[tuple[list[str], list[str], int]], most: int) -> None:
    """By the newest batches below that have no more than so many ids together, and within its own batch."""
    batches, store = cut(sizes), Twin()
    check = FirstSeen(store, 0, 1, lambda: store.over[-1][1] + 1 if store.over else 1, most)
    for events in batches:
        ids, reach = 0, events.batch.first
        for first, _, rows in reversed(store.over):
            if rows and (ids := ids + rows) > most:
                break
            reach = first
        known = {(row.model, row.id) for row in store.rows if row.position >= reach}
        wanted = {
            model: [key for key in dict.fromkeys(keys) if (model, key) not in known]
            for model, keys in ((contract.model, block.id.tolist()) for contract, block in events.predictions)
        }
        found = check(events)
        assert kept(found) == wanted
        store.write(found)


def test_a_start_reads_what_is_remembered_and_no_more() -> None:
    """Of a long log the positions of the newest batches, and each once."""
    store = Twin()
    for events in cut([([f"{i}-a", f"{i}-b"], [f"{i}-c"], 2) for i in range(50)]):
        store.write(events)
    again = cut([([f"{i}-a"], [], 2) for i in range(51)])[50]
    FirstSeen(store, 0, 101, lambda: 101, most=9)(again)
    assert store.read == [(95, 100)]


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 20))
def test_reading_back_remembers_what_noting_did(rows: list[int], most: int) -> None:
    """The reach is the same after each batch; pages cover it from end to end."""
    noted = RememberedIds(most)
    for first, ids in enumerate(rows):
        noted.note(first, ids)
        recalled = RememberedIds(most)
        recalled.recall((place, rows[place]) for place in range(first, -1, -1) if rows[place])
        assert recalled.since(first + 1) == noted.since(first + 1)
        pages = list(recalled.pages(first + 1))
        assert [place for start, end in pages for place in range(start, end + 1)] == list(range(recalled.since(first + 1), first + 1))


def test_memory_is_bounded_by_ids_and_by_batches() -> None:
    """Of 200,000 batches of one id the newest 65,536 are remembered; of large ones as many as there is room for."""
    memory = RememberedIds(1 << 20)
    for first in range(200_000):
        memory.note(first, 1)
    assert memory.since(200_000) == 200_000 - 65_536
    for first in range(200_000, 200_010):
        memory.note(first, 1 << 18)
    assert memory.since(200_010) == 200_006
