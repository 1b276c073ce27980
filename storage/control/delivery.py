"""Deliveries as people see and repeat them: the outbox with its attempts, replays, and tests of destinations."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from core import moment
from core.destination import Destination
from core.endpoint import Tried
from core.episode import TEST, Delivery, DeliveryState
from core.error import ConfigError
from storage.control.audit import audit
from storage.control.engine import Database
from storage.control.ledger import delivery_of
from storage.control.schema import ATTEMPT, DESTINATION, ENDPOINT, OUTBOX

_ATTEMPTS = 50  # the last ones
_MOST_URGENT = 9  # above every severity


class Deliveries(Database):
    """The outbox, read and repeated."""

    def deliveries(
        self, state: DeliveryState | None = None, destination: str | None = None, limit: int = 100, after: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        """Notifications, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        query = select(OUTBOX).order_by(OUTBOX.c.sequence.desc()).limit(limit + 1)
        if after is not None:
            if not (after.isascii() and after.isdigit() and len(after) < 19):
                raise ConfigError(f"{after[:60]!r} is not a cursor", remedy="send the `next` of the page before, as it is")
            query = query.where(OUTBOX.c.sequence < int(after))
        query = query if state is None else query.where(OUTBOX.c.state == state.value)
        query = query if destination is None else query.where(OUTBOX.c.destination == destination)
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [delivery_of(row) for row in rows[:limit]], str(rows[limit - 1].sequence) if len(rows) > limit else None

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        """A notification, and its last attempts, the newest first; None if there is none."""
        with self.read() as connection:
            row = connection.execute(select(OUTBOX).where(OUTBOX.c.id == name)).first()
            if row is None:
                return None
            query = select(ATTEMPT).where(ATTEMPT.c.delivery == name).order_by(ATTEMPT.c.sequence.desc()).limit(_ATTEMPTS)
            tried = [Tried(began=one.began, ended=one.ended, status=one.status, reason=one.reason) for one in connection.execute(query)]
        return delivery_of(row), tried

    def replay(self, name: str, actor: str) -> Delivery | None:
        """Send a notification again, whatever became of it, under the same id. None if there is none. ConfigError if its destination was deleted."""
        with self.write() as connection:
            row = connection.execute(select(OUTBOX).where(OUTBOX.c.id == name)).first()
            if row is None:
                return None
            if _destination(connection, row.destination) is None:
                raise ConfigError(f"there is no destination {row.destination!r} any more", remedy="apply it again, and then replay")
            self._again(connection, [row], actor)
            return delivery_of(connection.execute(select(OUTBOX).where(OUTBOX.c.id == name)).one())

    def replay_dead(self, destination: str | None, actor: str, *, dry_run: bool = False) -> int:
        """Send again all that was given up, of one destination or of all that there still are, or only count it. Returns how many.

        What the receiver has taken something later of, about the same episode, is left as it is: an alert that is over would begin again.
        """
        later = OUTBOX.alias()
        newer = select(later.c.sequence).where(
            OUTBOX.c.episode != "",
            later.c.episode == OUTBOX.c.episode,
            later.c.destination == OUTBOX.c.destination,
            later.c.sequence > OUTBOX.c.sequence,
            later.c.state == DeliveryState.DELIVERED.value,
        )
        dead = select(OUTBOX).where(
            OUTBOX.c.state == DeliveryState.DEAD.value, OUTBOX.c.destination.in_(select(DESTINATION.c.name)), ~newer.exists()
        )
        with self.write() as connection:
            rows = connection.execute(dead if destination is None else dead.where(OUTBOX.c.destination == destination)).all()
            if not dry_run:
                self._again(connection, rows, actor)
        return len(rows)

    def test_destination(self, name: str, address: str, actor: str) -> Delivery | None:
        """Queue a notification that tells nothing but that it arrives. None if there is no such destination. ConfigError if it is paused."""
        now = self._clock.now()
        with self.write() as connection:
            destination = _destination(connection, name)
            if destination is None:
                return None
            if not destination.enabled:
                raise ConfigError(f"the destination {name!r} is paused", remedy="apply it with `enabled: true` first")
            data = {
                "destination": name,
                "sentence": f"Nothing is wrong: {actor} asked whether notifications to {name} arrive.",
                "url": f"{address}/ui/",
            }
            body = msgspec.json.encode({"type": TEST, "timestamp": moment.text(now), "data": data}).decode()
            made = Delivery(
                id=f"msg_{secrets.token_hex(12)}",
                destination=name,
                episode="",
                type=TEST,
                body=body,
                created=now,
                due=now,
                rank=_MOST_URGENT,
            )
            connection.execute(insert(OUTBOX), msgspec.to_builtins(made))
            connection.execute(update(ENDPOINT).where(ENDPOINT.c.destination == name).values(opens=0))
            audit(connection, now, actor, "destination.tested", name, None, {"delivery": made.id})
        return made

    def _again(self, connection: Connection, rows: Sequence[Any], actor: str) -> None:
        now = self._clock.now()
        again = {"state": DeliveryState.PENDING.value, "due": now, "queued": now, "attempts": 0, "reason": ""}
        for name in sorted({row.destination for row in rows}):  # before the rows, as by all
            connection.execute(update(ENDPOINT).where(ENDPOINT.c.destination == name).values(opens=0))
        for row in rows:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(again))
            before, after = ({"state": state, "destination": row.destination} for state in (row.state, DeliveryState.PENDING.value))
            audit(connection, now, actor, "delivery.replayed", row.id, before, after)


def _destination(connection: Connection, name: str) -> Destination | None:
    payload = connection.execute(select(DESTINATION.c.payload).where(DESTINATION.c.name == name)).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Destination)
