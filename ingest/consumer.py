"""Reads one partition of the log, cuts batches and submits them to the stages."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from core.contract import Contract
from core.error import Retryable
from ingest.decoding import Decode
from ingest.first_seen import FirstSeen
from ingest.memory import MOST
from ingest.ports import Log, Store, WrittenRows
from ingest.record import Batch, Events, Topic
from ingest.stage import Backpressure, FunctionStage
from ingest.summarise import Summarise
from ingest.write import Write

_log = logging.getLogger(__name__)

_PAUSE = 0.005  # seconds between two checks of a write under way
_LONGEST = 1.0  # seconds: the longest pause between two writes
_JOIN = 8.0  # seconds that the write under way may take when consuming ends


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When a batch is cut: at `bytes`, or `seconds` after the batch before; later if writing takes long.

    Each insert costs time, however few its rows. So the pause between two writes is as long as the last write took, up to a second.
    """

    bytes: int = 32 << 20
    seconds: float = 0.1


class Consumer:
    """The consumer of one partition: decode, keep the first of each id, summarise, write.

    `written` is called with each batch that is durable. `checked` is called with each decoded batch; if it raises, the partition halts there.
    `dead` sends a batch's rejected records to the dead letters, before anything of the batch is written. `limits` may be changed at any time. `memory` is
    the number of ids that are remembered. With `waiting` events of models without a contract are kept, as far as it lets them; without, they are rejected.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        seen: WrittenRows,
        contracts: Callable[[str], Contract | None],
        topic: Topic,
        partition: int = 0,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        written: Callable[[Events], None] = lambda _: None,
        checked: Callable[[Events], Events] = lambda events: events,
        dead: Callable[[Events], None] = lambda _: None,
        memory: int = MOST,
        waiting: Callable[[Events], Events] | None = None,
    ) -> None:
        self.limits = limits
        self._log, self._key = log, (topic, partition)
        start = log.committed(topic, partition)
        self._next, self._intent = start.next, start.intent
        self._cut_at = self._busy_at = 0.0  # time.monotonic() of the last cut, and when its write was last found under way
        self._backlog = False  # whether the last batch was full
        self._problem: str | None = None
        self._write = Write(log, store, seen, topic, partition, start, written=written, dead=dead)
        first = FirstSeen(seen, partition, start.next, lambda: self._write.written, memory) if topic == "predictions" else _same
        decode, limited = Decode(contracts, keep=waiting is not None), waiting or _same
        self._stages: FunctionStage[Batch, Events] = FunctionStage(
            lambda batch: checked(limited(decode(batch))), FunctionStage(first, FunctionStage(Summarise(), self._write))
        )
        self._stop, self._lost = threading.Event(), False
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
        """A sentence that says why the consumer cannot go on; None if it can."""
        return self._problem or self._write.problem

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to consume, in a thread."""
        self._thread.start()

    def cease(self, *, lost: bool = False) -> None:
        """Cut no more batches; the thread ends soon. `lost`: another process has the partition already, so nothing is waited for or committed."""
        self._lost |= lost
        self._stop.set()
        if lost:
            self._write.drop()

    def stop(self, seconds: float = 10.0) -> None:
        """Finish what is under way, as far as that succeeds within the time."""
        self.cease()
        self._thread.join(seconds)

    def _run(self) -> None:
        batch = None
        while not self._stop.is_set():
            try:
                self._stages.poll()  # first: a batch that is refused must not hold up those before it
                batch = batch or self._cut()
                if batch is not None and self._submitted(batch):
                    batch = None
                self._problem = None
            except Exception as error:  # top of the thread: the log or the store may be away, and the same batch is tried again
                expected = isinstance(error, Retryable)
                _log.warning("ingest of %s %d waits: %s", *self._key, error, exc_info=not expected)
                self._problem = str(error)[:300] if expected else f"{type(error).__name__}: {error}"[:300]
                self._rest(error.after if isinstance(error, Retryable) else _LONGEST)
        if not self._lost:
            self._stages.close()
            self._stages.join(_JOIN)
        self._stages.abandon()

    def _rest(self, seconds: float) -> None:
        """Wait before the next attempt, while the stages go on with the batches that they have accepted."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stop.wait(min(left, _LONGEST)):
            with suppress(Exception):  # the next attempt raises it again
                self._stages.poll()

    def _cut(self) -> Batch | None:
        """The next batch; after a crash first exactly the batch that was begun."""
        idle = self._write.idle
        if not idle:
            self._busy_at = time.monotonic()
        until = self._intent
        if not self._log.wait(*self._key, self._next if until is None else until, 0.1 if idle else 0.02):
            return None
        if until is None and not self._backlog:
            if not idle:
                time.sleep(_PAUSE)
                return None
            took = min(self._busy_at - self._cut_at, _LONGEST)
            self._stop.wait(max(self._cut_at + self.limits.seconds, self._busy_at + took) - time.monotonic())
        records, last = self._log.read(*self._key, self._next, until=until, most=self.limits.bytes if until is None else 1 << 62)
        if last < self._next:
            return None
        self._intent = None
        batch = Batch(*self._key, self._next, last if until is None else until, records)
        self._next = batch.last + 1
        self._cut_at, self._backlog = time.monotonic(), sum(len(record.body) for record in records) > self.limits.bytes // 2
        return batch

    def _submitted(self, batch: Batch) -> bool:
        """Submit the batch; whether the stages have accepted it."""
        try:
            self._stages.submit(batch)
        except Backpressure:
            time.sleep(_PAUSE)
            return False
        return True


def _same(events: Events) -> Events:
    """The same events: labels need no first-seen check, because the owner takes the newest label of each id."""
    return events
