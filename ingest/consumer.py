"""Reads one partition of the log, cuts batches and submits them to the steps."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import msgspec

from core.contract import Contract
from ingest.decoding import Decode
from ingest.first_seen import FirstSeen
from ingest.record import Batch, Events, Topic
from ingest.seam import Log, Seen, Store
from ingest.step import Apply, Backpressure
from ingest.summarise import Summarise
from ingest.write import Write

_log = logging.getLogger(__name__)

_PAUSE = 0.005  # seconds between two looks at a write under way
_LONGEST = 1.0  # seconds between two writes that records have to wait


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How batches are cut: at so many bytes, or so many seconds after the last one; later when that takes long to write.

    Each insert has its price, however few its rows: as much time passes between two writes as the last one took, up to a second.
    """

    bytes: int = 32 << 20
    seconds: float = 0.1


class Consumer:
    """The consumer of one partition: decode, keep the first of each id, summarise, write."""

    def __init__(
        self,
        log: Log,
        store: Store,
        seen: Seen,
        contracts: Callable[[str], Contract | None],
        topic: Topic,
        partition: int = 0,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._log, self._place, self._limits = log, (topic, partition), limits
        self._tell = written
        self._start = log.committed(topic, partition)
        self._next = self._start.next
        self._intent = self._start.intent
        self._cut_at = self._busy_at = 0.0  # time.monotonic() of the last cut, and when its write was last seen under way
        self._backlog = False  # whether the last batch was full
        self._problem: str | None = None
        self._write = Write(log, store, seen, topic, partition, self._start)
        first = FirstSeen(seen, partition, self._start.next, lambda: self._write.written) if topic == "predictions" else _same
        self._steps: Apply[Batch, Events] = Apply(Decode(contracts), Apply(first, Apply(Summarise(), self._write)))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ingest-{topic}-{partition}", daemon=True)

    @property
    def written(self) -> int:
        """The next position that is not written yet."""
        return self._write.written

    @property
    def rows(self) -> int:
        """Rows written since the start."""
        return self._write.rows

    @property
    def problem(self) -> str | None:
        """What keeps the consumer from going on, if anything does."""
        return self._problem or self._write.problem

    def start(self) -> None:
        """Begin to consume, in a thread."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Finish what is under way, as far as that succeeds within the time."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        told, batch = self.written, None
        while not self._stop.is_set():
            try:
                batch = batch or self._cut()
                if batch is not None and self._submitted(batch):
                    batch = None
                self._steps.poll()
                self._problem = None
            except Exception as error:  # the thread's edge: the log or the store may be away, and the same batch is tried again
                _log.exception("ingest of %s cannot go on; it tries again", self._place[0])
                self._problem = f"{type(error).__name__}: {error}"[:300]
                self._stop.wait(_LONGEST)
            if told != self.written:
                told = self.written
                self._tell()
        self._steps.close()
        self._steps.join(8.0)
        self._steps.abandon()

    def _cut(self) -> Batch | None:
        """The next batch; after a crash first exactly the one that was begun."""
        idle = self._write.idle
        if not idle:
            self._busy_at = time.monotonic()
        if not self._log.wait(*self._place, self._next, 0.1 if idle else 0.02):
            return None
        if self._intent is None and not self._backlog:
            if not idle:
                time.sleep(_PAUSE)
                return None
            took = min(self._busy_at - self._cut_at, _LONGEST)
            self._stop.wait(max(self._cut_at + self._limits.seconds, self._busy_at + took) - time.monotonic())
        until = self._intent
        records = self._log.read(*self._place, self._next, until=until, most=self._limits.bytes if until is None else 1 << 62)
        if not records:
            return None
        self._intent = None
        last = until if until is not None else records[-1].position
        batch = Batch(*self._place, self._next, last, records)
        self._next = last + 1
        self._cut_at, self._backlog = time.monotonic(), sum(len(record.body) for record in records) > self._limits.bytes // 2
        return batch

    def _submitted(self, batch: Batch) -> bool:
        """Submit; whether the steps have taken it."""
        try:
            self._steps.submit(batch)
        except Backpressure:
            time.sleep(_PAUSE)
            return False
        return True


def _same(events: Events) -> Events:
    """Labels need no first-seen check: the owner takes the highest of each id."""
    return events
