"""Events of models without a contract: which of them are kept, and how they become events once there is a contract.

They keep their place in the log, and the time at which the log took them. So of two events with one id the same one counts, and of two labels the same
one holds, as if the contract had been there when they came.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeVar

from core.block import Ints, Labels, Predictions
from core.contract import Contract
from ingest.decoding import Decode
from ingest.ports import Store, WrittenRows
from ingest.record import Batch, Events, LogRecord, Reject, Topic, Waiting
from ingest.write import summary, without

B = TypeVar("B", Predictions, Labels)

MODELS = 100  # models without a contract of which a partition keeps events: senders could make up many names
_PORTION, _BYTES = 50_000, 64 << 20  # events that are decoded and written together, and their JSON
_EACH = 4 << 10  # bytes that an event may have on average
_COUNT_AGAIN = 60.0  # seconds between two counts of what is in the store, once a limit is reached

Ranges = Mapping[int, tuple[int, int]]  # by partition the first and the last position


class WaitingBodies(Protocol):
    """Events that wait, of one partition in the order of the log: their places, when the log took them, and their JSON."""

    @property
    def position(self) -> Ints: ...  # noqa: D102
    @property
    def place(self) -> Ints: ...  # noqa: D102
    @property
    def logged(self) -> Ints: ...  # noqa: D102
    @property
    def body(self) -> Sequence[bytes]: ...  # noqa: D102


class WaitingStore(Protocol):
    """Events that wait, in the fact store."""

    def held(self, topic: Topic, partition: int) -> dict[str, tuple[int, int]]:
        """How many events of each model wait in a partition of the log, and the bytes of their JSON."""
        ...

    def portion(self, model: str, committed: Mapping[Topic, Mapping[int, int]], most: int, size: int) -> Mapping[Topic, Ranges]:
        """By topic and partition the first and last position of the model's first events that wait: whole batches that are committed, in each partition of about `most` events or `size` bytes together."""
        ...

    def bodies(self, model: str, topic: Topic, partition: int, last: int) -> WaitingBodies:
        """The events of a model that wait in a partition, of batches that end at `last` or before."""
        ...

    def forget(self, model: str, portion: Mapping[Topic, Ranges]) -> None:
        """Remove the events of a model at these positions, by topic."""
        ...


class Room(NamedTuple):
    """How many events of a model a partition keeps at most."""

    rows: int

    @property
    def size(self) -> int:
        """How many bytes of JSON these events may have together."""
        return self.rows * _EACH


class Limited:
    """Lets so many events of models without a contract wait as there is room for in one partition; more are rejected.

    What is in the store is counted before the first of them, and again when a limit is reached. Two attempts to write a batch may decide otherwise for an event; then it waits and is a dead letter too.
    """

    def __init__(self, store: WaitingStore, topic: Topic, partition: int, room: Room, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._key, self._room, self._clock = store, (topic, partition), room, clock
        self._held: Counter[str] | None = None  # rows
        self._size: Counter[str] = Counter()
        self._last: tuple[int, list[Waiting]] = (-1, [])  # where the last batch begins, and what of it waits
        self._counted = 0.0

    def __call__(self, events: Events) -> Events:
        """The batch, with events for which there is no room among the rejects."""
        if not events.waiting:
            return events
        if self._held is not None and self._last[0] == events.batch.first:  # it was not written, so it is not counted twice
            self._held.subtract(one.model for one in self._last[1])
            self._held += Counter()  # without models that have none
            for one in self._last[1]:
                self._size[one.model] -= len(one.body)
        held = self._held
        if held is None or (self._clock() > self._counted + _COUNT_AGAIN and not self._fits(held, events.waiting)):
            found = self._store.held(*self._key)
            held = self._held = Counter({model: rows for model, (rows, _) in found.items()})
            self._size, self._counted = Counter({model: size for model, (_, size) in found.items()}), self._clock()
        kept: list[Waiting] = []
        rejects: list[Reject] = []
        for one in events.waiting:
            why = self._why(held, one)
            if why is None:
                held[one.model] += 1
                self._size[one.model] += len(one.body)
                kept.append(one)
            else:
                why = (
                    f"there is no model {one.model[:100]!r}, and {why} wait in this partition already; add it with `watchkeeper reference`"
                )
                rejects.append(Reject(one.position, one.row, "", "model", why, one.logged))
        self._last = (events.batch.first, kept)
        return replace(events, waiting=kept, rejects=sorted([*events.rejects, *rejects]))

    def _fits(self, held: Counter[str], waiting: Sequence[Waiting]) -> bool:
        """Whether all these events have room."""
        rows, sizes = Counter(one.model for one in waiting), Counter[str]()
        for one in waiting:
            sizes[one.model] += len(one.body)
        room = all(held[model] + n <= self._room.rows and self._size[model] + sizes[model] <= self._room.size for model, n in rows.items())
        return room and len(held.keys() | rows.keys()) <= MODELS

    def _why(self, held: Counter[str], one: Waiting) -> str | None:
        """What takes the room that an event needs; None if there is room."""
        if not held[one.model] and len(held) >= MODELS:
            return f"events of {MODELS} other models"
        if held[one.model] >= self._room.rows:
            return f"{self._room.rows:,} of its events"
        if self._size[one.model] + len(one.body) > self._room.size:
            return f"{self._size[one.model]:,} bytes of its events"
        return None


class Admission:
    """Turns events that wait into events of their model, once it has a contract.

    `always` tells whether events may begin to wait at any time; else only those that are there already are looked for, once an owner.
    """

    def __init__(self, waiting: WaitingStore, seen: WrittenRows, store: Store, *, always: bool) -> None:
        self._waiting, self._seen, self._store = waiting, seen, store
        self.always = always

    def portion(self, model: str, committed: Mapping[Topic, Mapping[int, int]]) -> Mapping[Topic, Ranges]:
        """By topic and partition the positions of events that are to be admitted next; those beyond `committed` are still being written."""
        return self._waiting.portion(model, committed, _PORTION, _BYTES)

    def admit(self, contract: Contract, portion: Mapping[Topic, Ranges], check: Callable[[], None]) -> None:
        """Write the events of a portion. Another process may write the same portion before, after or meanwhile: the events are there once.

        They wait until `forget` is called. `check` is called before each write.
        """
        for topic, ranges in portion.items():
            for partition, (first, last) in ranges.items():
                some = self._waiting.bodies(contract.model, topic, partition, last)
                if len(some.position):
                    self._write(contract.model, _decoded(contract, Batch(topic, partition, first, last, ()), some), check)

    def forget(self, model: str, portion: Mapping[Topic, Ranges]) -> None:
        """Let the events of a portion wait no more."""
        self._waiting.forget(model, portion)

    def _write(self, model: str, events: Events, check: Callable[[], None]) -> None:
        batch = events.batch
        check()
        self._store.dead_letters([{"topic": batch.topic, "partition": batch.partition, **reject._asdict()} for reject in events.rejects])
        for token in (f"{batch.token}:{model}", None):  # a token is not enough after an attempt that did not finish: see `ingest.write`
            there = self._seen.rows_at(batch.topic, batch.partition, batch.first, batch.last, model)
            predictions = [(under, left) for under, block in events.predictions if len(left := without(block, there))]
            labels = {of: rest for of, some in events.labels.items() if len(rest := without(some, there))}
            if predictions or labels:
                check()
                self._store.predictions(predictions, batch.partition, token)
                self._store.labels(labels, batch.partition, token)
        check()
        self._store.batches([{**row, "admitted": 1} for row in summary(events)])


def _decoded(contract: Contract, batch: Batch, some: WaitingBodies) -> Events:
    """The events as ingest would have decoded them, at their places in the log."""
    logged = some.logged.tolist()
    records = [LogRecord(index, logged[index], "json", body) for index, body in enumerate(some.body)]
    found = Decode({contract.model: contract}.get)(replace(batch, first=0, last=len(records) - 1, records=records))

    def placed(block: B) -> B:
        return replace(block, position=some.position[block.position], row=some.place[block.position])

    def located(reject: Reject) -> Reject:
        return reject._replace(position=int(some.position[reject.position]), row=int(some.place[reject.position]))

    return replace(
        found,
        batch=batch,
        predictions=[(under, placed(block)) for under, block in found.predictions],
        labels={model: placed(block) for model, block in found.labels.items()},
        rejects=[located(reject) for reject in found.rejects],
    )
