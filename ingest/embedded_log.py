"""The log of the embedded mode: a table in SQLite for each topic, with one row a request, whose row number is its position.

All appends that wait go into one transaction, and each is answered when that is on the disk (WAL, `synchronous=FULL`). Positions are never
used twice, also after trimming. Records that have been written to the store are trimmed in small steps.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from core.error import Retryable
from ingest.ports import CommittedPosition
from ingest.record import TOPICS, Kind, LogRecord, LogStretch, Topic

_KEEP_DECODED = 64 << 20  # bytes of bodies whose decoded blocks are kept for the consumer
_MOST_WAITING = 256 << 20  # bytes of appends under way above which further ones are refused
_TRIM = 200  # rows that are trimmed in a step
_PAGE = 16_384  # bytes: a request of a megabyte fills many pages, and each page costs time when it is written, read and trimmed

_Work = tuple[Callable[[sqlite3.Connection], Any], Callable[[Any], None], "Future[Any]"]


class EmbeddedLog:
    """A log with one partition a topic. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._lock = threading.Condition()
        self._decoded: dict[tuple[Topic, int], tuple[int, Any]] = {}
        self._decoded_bytes = self._waiting_bytes = 0
        self._writer = self._connect()
        for topic in TOPICS:
            self._writer.execute(
                f"CREATE TABLE IF NOT EXISTS {topic} (position INTEGER PRIMARY KEY AUTOINCREMENT, logged INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL)"
            )
        self._writer.execute(
            "CREATE TABLE IF NOT EXISTS consumers (topic TEXT, partition INTEGER, next INTEGER NOT NULL, intent INTEGER, PRIMARY KEY (topic, partition))"
        )
        self._ends = {topic: self._end(topic) for topic in TOPICS}
        self.appended = 0.0  # time.monotonic() of the last append, 0 before the first
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def append(self, topic: Topic, kind: Kind, body: bytes, logged: int, decoded: Any = None) -> Future[int]:
        """Append a request; the future gives its position once it is durable. Raises Retryable when too much is waiting."""
        with self._lock:
            if self._waiting_bytes > _MOST_WAITING:
                raise Retryable("the log cannot keep up; send again later", after=1.0)
            self._waiting_bytes += len(body)

        def landed(position: int) -> None:
            with self._lock:
                self._ends[topic] = position + 1
                self.appended = time.monotonic()
                if decoded is not None and self._decoded_bytes + len(body) <= _KEEP_DECODED:
                    self._decoded[topic, position] = (len(body), decoded)
                    self._decoded_bytes += len(body)
                self._lock.notify_all()

        future = self._do(
            lambda db: db.execute(f"INSERT INTO {topic} (logged, kind, body) VALUES (?, ?, ?)", (logged, kind, body)).lastrowid,
            landed,
        )
        future.add_done_callback(lambda _: self._release(len(body)))
        return future

    def end(self, topic: Topic) -> int:
        """The position after the last durable record."""
        with self._lock:
            return self._ends[topic]

    def committed(self, topic: Topic, partition: int) -> CommittedPosition:
        """The committed position of the consumer; 1 before the first record."""
        row = self._reader().execute("SELECT next, intent FROM consumers WHERE topic = ? AND partition = ?", (topic, partition)).fetchone()
        return CommittedPosition(*row) if row else CommittedPosition(1, None)

    def commit(self, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Make the consumer's position durable, and trim the records before it."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO consumers VALUES (?, ?, ?, ?)", (topic, partition, committed.next, committed.intent))
            db.execute(
                f"DELETE FROM {topic} WHERE position IN (SELECT position FROM {topic} WHERE position < ? ORDER BY position LIMIT {_TRIM})",
                (committed.next,),
            )

        self._do(write, lambda _: None).result()

    def read(self, topic: Topic, partition: int, start: int, *, until: int | None, most: int) -> LogStretch:
        """Records from `start` on, about `most` bytes; `partition` is 0, there is no other."""
        last = min(self.end(topic) - 1, until if until is not None else 1 << 62)
        sizes = self._reader().execute(
            f"SELECT position, length(body) FROM {topic} WHERE position BETWEEN ? AND ? ORDER BY position LIMIT 10000", (start, last)
        )
        taken, size = start - 1, 0
        for position, length in sizes:
            if size and size + length > most:
                break
            taken, size = position, size + length
        rows = self._reader().execute(
            f"SELECT position, logged, kind, body FROM {topic} WHERE position BETWEEN ? AND ? ORDER BY position", (start, taken)
        )
        return LogStretch(
            [LogRecord(position, logged, kind, body, self._take(topic, position)) for position, logged, kind, body in rows], taken
        )

    def wait(self, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait until a record at or after `position` is durable."""
        with self._lock:
            return self._lock.wait_for(lambda: self._ends[topic] > position, seconds)

    def close(self) -> None:
        """Finish the appends under way and close."""
        self._queue.put(None)
        self._thread.join()
        for reader in self._readers:
            reader.close()
        self._writer.close()

    def _do(self, work: Callable[[sqlite3.Connection], Any], then: Callable[[Any], None]) -> Future[Any]:
        future: Future[Any] = Future()
        self._queue.put((work, then, future))
        return future

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            gathered: list[_Work] = []
            stop = first is None
            if first is not None:
                gathered.append(first)
            while not self._queue.empty():
                if (item := self._queue.get()) is None:
                    stop = True
                else:
                    gathered.append(item)
            if gathered:
                self._transact(gathered)
            if stop:
                return

    def _transact(self, gathered: list[_Work]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            results = [work(self._writer) for work, _, _ in gathered]
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for _, _, future in gathered:
                future.set_exception(Retryable(f"the log at {self._path} cannot be written ({error}); is the disk full?", after=5.0))
            return
        for (_, then, future), result in zip(gathered, results, strict=True):
            then(result)
            future.set_result(result)

    def _take(self, topic: Topic, position: int) -> Any:
        with self._lock:
            size, decoded = self._decoded.pop((topic, position), (0, None))
            self._decoded_bytes -= size
        return decoded

    def _release(self, size: int) -> None:
        with self._lock:
            self._waiting_bytes -= size

    def _end(self, topic: Topic) -> int:
        row = self._writer.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (topic,)).fetchone()
        return row[0] + 1 if row else 1

    def _reader(self) -> sqlite3.Connection:
        if (connection := getattr(self._local, "reader", None)) is None:
            connection = self._local.reader = self._connect()
            self._readers.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute(f"PRAGMA page_size = {_PAGE}")  # of a new file
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection
