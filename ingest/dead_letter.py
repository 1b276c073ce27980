"""Dead letters: rows that could not be used, with the reason, as messages of a topic that people read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingest.decode.payload import PayloadError, Row, cut, written
from ingest.record import Events

# By header its field, and what that means.
HEADERS = {
    "reason": ("reason", "why the row could not be used"),
    "field": ("field", "the field at fault; empty for the whole row"),
    "model": ("model", "its model, where that is known"),
    "topic": ("topic", "predictions or labels, without the prefix"),
    "partition": ("partition", "the partition that it came from"),
    "offset": ("position", "the offset that it came from"),
    "row": ("row", "its row, where the record is an array; else 0"),
    "logged": ("logged", "when the brokers took the record: microseconds since the epoch"),
}


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be used. `row` is its row in its record, `body` its bytes; `logged` is in microseconds."""

    topic: str
    partition: int
    position: int
    row: int
    model: str
    field: str
    reason: str
    logged: int
    body: bytes

    def key(self) -> bytes:
        """`topic/partition/offset/row`: the same row has the same key whenever it is rejected again."""
        return f"{self.topic}/{self.partition}/{self.position}/{self.row}".encode()

    def headers(self) -> list[tuple[str, bytes]]:
        """The reason, and where in the log the row is, as texts."""
        return [(name, str(getattr(self, field)).encode()) for name, (field, _) in HEADERS.items()]


def letters(events: Events) -> Sequence[DeadLetter]:
    """The dead letters of a decoded batch: the rejected rows of an array, else the whole record."""
    bodies = {record.position: record.body for record in events.batch.records} if events.rejects else {}
    rows: dict[int, Sequence[Row]] = {}
    found = []
    for reject in events.rejects:
        if reject.position not in rows:
            rows[reject.position] = _rows(bodies[reject.position])
        some = rows[reject.position]
        body = written(some[reject.row]) if reject.row < len(some) else bodies[reject.position]
        found.append(DeadLetter(topic=events.batch.topic, partition=events.batch.partition, body=body, **reject._asdict()))
    return found


def _rows(body: bytes) -> Sequence[Row]:
    """The rows of an array; none if it is not an array."""
    try:
        return cut(body, "json") if body.lstrip()[:1] == b"[" else ()
    except PayloadError:
        return ()
