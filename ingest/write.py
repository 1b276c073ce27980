"""The last stage of ingest: it writes a batch exactly once, and commits its position in the log afterwards.

The order of the writes is the guarantee. First the position is committed with the intent: the first and the last position to be written, which also acknowledges the
batch before. Then dead letters, raw rows, panes and events that wait for a contract are inserted, raw rows and panes under tokens that name their rows. The row in `batches` comes last. It,
dead letters and waiting events need no token: each row has a key, and replaces itself. A process that finds an intent after a crash cuts the same batch
and inserts it again, unless the last of its inserts is there: then all of them are. The token alone is not enough after an attempt that did not finish,
because ClickHouse notes a token before its rows are in place, and does not sync it. So missing raw rows are inserted, and the owner's audit
finds what is missing in panes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from core import moment
from core.block import Labels, Predictions
from core.error import Retryable
from ingest.ports import CommittedPosition, Log, Store, WrittenRows
from ingest.record import Events, Topic
from ingest.stage import Backpressure

_log = logging.getLogger(__name__)

B = TypeVar("B", Predictions, Labels)

_LONGEST_PAUSE = 30.0
_NO_COPIES = (np.zeros(0, np.int64), np.zeros(0, np.int64))


class Write:
    """Writes one batch at a time in a thread of its own, so that reading and decoding go on."""

    def __init__(
        self,
        log: Log,
        store: Store,
        seen: WrittenRows,
        topic: Topic,
        partition: int,
        start: CommittedPosition,
        *,
        written: Callable[[Events], None],
        dead: Callable[[Events], None],
    ) -> None:
        self._log = log
        self._store = store
        self._seen = seen
        self._on_written, self._dead = written, dead
        self._key = (topic, partition)
        self._committed = start
        self._written = start.next
        self._open = self._found = start.intent
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"write-{topic}-{partition}")
        self._flight: Future[None] | None = None
        self._abandoned = threading.Event()
        self.problem: str | None = None
        self.rows = 0

    @property
    def written(self) -> int:
        """The next position that is not written yet."""
        return self._written

    @property
    def idle(self) -> bool:
        """Whether nothing is being written."""
        return self._flight is None

    def submit(self, message: Events) -> None:
        """Begin to write a batch."""
        self._land()
        if self._flight is not None:
            raise Backpressure
        self._flight = self._pool.submit(self._write, message)

    def poll(self) -> None:
        """See whether the batch is done; when nothing is under way, acknowledge the last one."""
        self._land()
        if self._flight is None and self._committed != (settled := CommittedPosition(self._written, None)) and self._open is None:
            try:
                self._log.commit(*self._key, settled)
            except Retryable as error:
                self.problem = str(error)
                return
            self._committed, self.problem = settled, None

    def close(self) -> None:
        """Nothing more comes."""

    def join(self, seconds: float) -> None:
        """Wait for the batch under way, then acknowledge it; the intent of an unfinished batch stays."""
        if self._flight is not None:
            try:
                self._flight.result(seconds)
            except TimeoutError:
                return
        self.poll()

    def drop(self) -> None:
        """Begin no further attempt. The intent stays, and the process that has the partition next writes the batch."""
        self._abandoned.set()

    def abandon(self) -> None:
        """Drop what is not done, and wait for the attempt under way."""
        self.drop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _land(self) -> None:
        if self._flight is not None and self._flight.done():
            flight, self._flight = self._flight, None
            flight.result()

    def _write(self, events: Events) -> None:
        batch, pause, began = events.batch, 0.1, time.monotonic()
        about = {"token": batch.token, "topic": batch.topic, "partition": batch.partition}
        retrying = batch.last == self._found  # whether rows of the batch may be in the store already
        while not self._abandoned.is_set():
            try:
                intent = CommittedPosition(batch.first, batch.last)
                if self._committed != intent:
                    self._log.commit(*self._key, intent)
                    self._committed, self._open = intent, batch.last
                if not (retrying and self._seen.finished(*self._key, batch.last)):
                    self._insert(events, retrying=retrying)
            except Exception as error:  # whatever the store raised, only the same rows under the same token may follow
                retrying, self.problem = True, f"{type(error).__name__}: {str(error)[:300]}"
                _log.warning("a batch could not be written, trying again in %.1f s: %s", pause, self.problem, extra=about)
                self._abandoned.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                rows = events.rows.total()
                _log.debug("a batch is written", extra={**about, "rows": rows, "seconds": round(time.monotonic() - began, 4)})
                self.rows += rows
                self._written, self._open, self.problem = batch.last + 1, None, None
                self._on_written(events)
                return

    def _insert(self, events: Events, *, retrying: bool) -> None:
        batch, token = events.batch, events.batch.token
        self._dead(events)
        self._store.dead_letters([{"topic": batch.topic, "partition": batch.partition, **reject._asdict()} for reject in events.rejects])
        if not retrying or not self._seen.rows_at(batch.topic, batch.partition, batch.first, batch.last):
            self._store.predictions(events.predictions, batch.partition, token)
            self._store.labels(events.labels, batch.partition, token)
        if retrying:
            self._complete(events)
        self._store.panes(events.panes, token)
        self._store.waiting(
            [{"topic": batch.topic, "partition": batch.partition, "last": batch.last, **one._asdict()} for one in events.waiting]
        )
        self._store.batches(summary(events))

    def _complete(self, events: Events) -> None:
        """Insert the raw rows that no earlier attempt has inserted."""
        batch = events.batch
        there = self._seen.rows_at(batch.topic, batch.partition, batch.first, batch.last)
        predictions = [(contract, without(block, there)) for contract, block in events.predictions]
        self._store.predictions(predictions, batch.partition, None)
        self._store.labels({model: without(block, there) for model, block in events.labels.items()}, batch.partition, None)


def without(block: B, there: set[tuple[int, int]]) -> B:
    """The rows whose (position, row) is not in `there`."""
    keys = zip(block.position.tolist(), block.row.tolist(), strict=True)
    return block.take(np.array([row for row, key in enumerate(keys) if key not in there], np.intp))


def summary(events: Events) -> list[dict[str, str | int | list[int]]]:
    """A row a model for the table of batches. The first counts the rejected rows; if no model is known of any, a row without a model counts them."""
    batch = events.batch
    blocks = {contract.model: (block.ts, block.logged) for contract, block in events.predictions}
    blocks |= {model: (block.ts, block.logged) for model, block in events.labels.items()}
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    others = {reject.model for reject in events.rejects} | {one.model for one in events.waiting}
    blocks |= dict.fromkeys(sorted(others - blocks.keys() - {""}), nothing)  # so that their owners look
    if not blocks and events.rejects:
        blocks[""] = nothing
    rows: list[dict[str, str | int | list[int]]] = []
    for model, (ts, logged) in blocks.items():
        known = len(ts) > 0
        rows.append(
            {
                "model": model,
                "topic": batch.topic,
                "partition": batch.partition,
                "first": batch.first,
                "last": batch.last,
                "rows": len(ts),
                "duplicates": events.duplicates.get(model, 0),
                **dict(zip(("copy_slot", "copy_count"), (each.tolist() for each in events.copies.get(model, _NO_COPIES)), strict=True)),
                "rejected": len(events.rejects) if not rows else 0,
                "outside": events.outside.get(model, 0),
                "first_ts": int(ts.min()) if known else moment.EARLIEST,
                "last_ts": int(ts.max()) if known else moment.EARLIEST,
                "watermark": int(np.minimum(ts, logged).max()) if known else moment.EARLIEST,
                "logged": int(logged.max()) if known else moment.EARLIEST,
            }
        )
    return rows
