"""What the noise report reads of episodes: no snapshots of readings and monitors, and no bodies of notifications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, select

from core.episode import Cause, DeliveryState
from core.fired import Fired
from core.handling import Act, Handling
from storage.control.bulk import CHUNK
from storage.control.ledger import Ledgers
from storage.control.schema import ACT, DECISION, EPISODE, OUTBOX


class Noises(Ledgers):
    """Reads what became of episodes."""

    def fired(self, model: str | None = None, monitor: str | None = None, start: int | None = None, end: int | None = None) -> list[Fired]:
        """Episodes that fired in `[start, end)` of event time, the first fired first."""
        query = select(EPISODE.c.id, EPISODE.c.payload).order_by(EPISODE.c.fired_at, EPISODE.c.id)
        for column, value in ((EPISODE.c.model, model), (EPISODE.c.monitor, monitor)):
            query = query if value is None else query.where(column == value)
        query = query if start is None else query.where(EPISODE.c.fired_at >= start)
        query = query if end is None else query.where(EPISODE.c.fired_at < end)
        with self.read() as connection:
            stored = connection.execute(query, execution_options={"yield_per": CHUNK})  # payloads are large, and not held all at once
            rows = [(row.id, msgspec.json.decode(row.payload, type=_Payload)) for row in stored]
            return [one for at in range(0, len(rows), CHUNK) for one in _beside(connection, rows[at : at + CHUNK])]


class _Payload(msgspec.Struct):
    """The fields of a stored episode that the report needs."""

    model: str
    monitor: str
    column: str
    segment: str
    fired_at: int
    window_start: int
    window_end: int
    ended_at: int | None = None
    cause: Cause | None = None
    reopened: int = 0


class _Told(msgspec.Struct):
    """The fields of a decision that name notifications."""

    group: str | None = None
    digest: str | None = None


def _beside(connection: Connection, rows: Sequence[tuple[str, _Payload]]) -> Iterator[Fired]:
    """Episodes with what people did about them, and with the notifications that were delivered: their own, and those of their group and digest."""
    ids, handling = [name for name, _ in rows], {name: Handling() for name, _ in rows}
    reopened = {name: one.reopened for name, one in rows}
    for payload in connection.execute(select(ACT.c.payload).where(ACT.c.episode.in_(ids)).order_by(ACT.c.sequence)).scalars():
        act = msgspec.json.decode(payload, type=Act)
        handling[act.episode] = handling[act.episode].after(act, reopened[act.episode])
    about = {name: {name} for name in ids}
    for row in connection.execute(select(DECISION.c.episode, DECISION.c.payload).where(DECISION.c.episode.in_(ids))):
        told = msgspec.json.decode(row.payload, type=_Told)
        about[row.episode] |= {name for name in (told.group, told.digest) if name}
    subjects = sorted(set[str]().union(*about.values()))
    delivered: dict[str, set[str]] = {}
    for at in range(0, len(subjects), CHUNK):
        query = select(OUTBOX.c.id, OUTBOX.c.episode).where(OUTBOX.c.episode.in_(subjects[at : at + CHUNK]))
        for row in connection.execute(query.where(OUTBOX.c.state == DeliveryState.DELIVERED)):
            delivered.setdefault(row.episode, set()).add(row.id)
    for name, one in rows:
        yield Fired(
            model=one.model,
            monitor=one.monitor,
            column=one.column,
            segment=one.segment,
            fired_at=one.fired_at,
            ended_at=one.ended_at,
            window=one.window_end - one.window_start,
            cause=one.cause,
            acknowledged=handling[name].acknowledged_by is not None,
            useful=handling[name].useful,
            notices=frozenset[str]().union(*(delivered.get(subject, ()) for subject in about[name])),
        )
