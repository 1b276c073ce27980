"""The outbox as delivery sees it: what is due, and what became of it."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select, update

from core.episode import Delivery, DeliveryState
from storage.control.engine import Database
from storage.control.ledger import delivery_of
from storage.control.schema import OUTBOX


class Outbox(Database):
    """Notifications that wait, and those that are done."""

    def due(self, now: int, limit: int = 100) -> list[Delivery]:
        """The oldest waiting notification of each destination, where its time has come: a later one never overtakes it."""
        heads = select(func.min(OUTBOX.c.sequence)).where(OUTBOX.c.state == DeliveryState.PENDING.value).group_by(OUTBOX.c.destination)
        query = (
            select(OUTBOX).where(OUTBOX.c.sequence.in_(heads), OUTBOX.c.due <= now).order_by(OUTBOX.c.due, OUTBOX.c.sequence).limit(limit)
        )
        with self.read() as connection:
            return [delivery_of(row) for row in connection.execute(query)]

    def settle(self, delivery: Delivery) -> None:
        """Save what an attempt brought."""
        values = msgspec.to_builtins(delivery)
        changes = {name: values[name] for name in ("state", "attempts", "due", "last_status", "reason")}
        with self.write() as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == delivery.id).values(changes))

    def delivery_counts(self) -> dict[DeliveryState, int]:
        """How many notifications are in each state."""
        with self.read() as connection:
            rows = connection.execute(select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}
