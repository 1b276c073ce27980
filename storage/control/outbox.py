"""The outbox for delivery: which notifications are due, and the results of attempts."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select, update

from core.destination import Destination
from core.episode import Delivery, DeliveryState
from storage.control.engine import Database
from storage.control.ledger import delivery_of
from storage.control.schema import DESTINATION, OUTBOX

_WAITS = OUTBOX.c.state == DeliveryState.PENDING.value


def _heads() -> Select[tuple[int]]:
    """The oldest waiting notification of each destination. The query steps from name to name by the index, so it does not read those behind."""
    rows = OUTBOX.alias()
    waits = rows.c.state == DeliveryState.PENDING.value
    names = select(func.min(rows.c.destination).label("name")).where(waits).cte("names", recursive=True)
    following = select(func.min(rows.c.destination)).where(waits, rows.c.destination > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    head = select(func.min(rows.c.sequence)).where(waits, rows.c.destination == names.c.name).scalar_subquery()
    return select(head).where(names.c.name.is_not(None))


_HEADS = _heads()


def _without_paused(connection: Connection, query: Select[Any]) -> Select[Any]:
    payloads = connection.execute(select(DESTINATION.c.payload)).scalars()
    destinations = [msgspec.json.decode(payload, type=Destination) for payload in payloads]
    paused = [destination.name for destination in destinations if not destination.enabled]
    return query.where(OUTBOX.c.destination.not_in(paused)) if paused else query


class Outbox(Database):
    """Notifications that wait, and those that are done."""

    def due(self, now: int, limit: int = 100, lease: int = 0) -> list[Delivery]:
        """The oldest waiting notification of each destination, where its time has come: a later one never overtakes it.

        Notifications for a paused destination stay waiting. With a `lease` (microseconds) the caller claims them: nobody else gets them, nor the
        notifications behind them, until they are settled or the lease is over.
        """
        # State and time are conditions here, too: a row that another process has just settled or claimed is checked again when it is locked.
        query = (
            select(OUTBOX)
            .where(OUTBOX.c.sequence.in_(_HEADS), _WAITS, OUTBOX.c.due <= now)
            .order_by(OUTBOX.c.due, OUTBOX.c.sequence)
            .limit(limit)
        )
        if not lease:
            with self.read() as connection:
                return [delivery_of(row) for row in connection.execute(_without_paused(connection, query))]
        with self.write(alone=False) as connection:
            claimed = [delivery_of(row) for row in connection.execute(_without_paused(connection, query).with_for_update(skip_locked=True))]
            if claimed:
                mine = OUTBOX.c.id.in_([delivery.id for delivery in claimed])
                connection.execute(update(OUTBOX).where(mine).values(due=now + lease))
        return claimed

    def failing(self, attempts: int) -> list[Delivery]:
        """By destination its oldest waiting notification, if so many attempts at it have failed."""
        query = select(OUTBOX).where(OUTBOX.c.sequence.in_(_HEADS), OUTBOX.c.attempts >= attempts).order_by(OUTBOX.c.destination)
        with self.read() as connection:
            return [delivery_of(row) for row in connection.execute(_without_paused(connection, query))]

    def settle(self, delivery: Delivery) -> None:
        """Save the result of an attempt. A delivery that is done stays done, also if an attempt ends after its lease."""
        values = msgspec.to_builtins(delivery)
        changes = {name: values[name] for name in ("state", "attempts", "due", "last_status", "reason")}
        with self.write(alone=False) as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == delivery.id, _WAITS).values(changes))

    def delivery_counts(self) -> dict[DeliveryState, int]:
        """How many notifications are in each state."""
        with self.read() as connection:
            rows = connection.execute(select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}
