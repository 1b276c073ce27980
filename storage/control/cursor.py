"""Cursors: how far each owner of some work has come, as the owner's own document; and who the owner is.

Ownership is a number, the *epoch*, that each taker counts up. Who holds an older one is fenced: nothing that it writes under its epoch is
taken any more. `take` waits for what the owner before has begun under its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, case, delete, select, update

from core.error import Fenced
from storage.control.engine import Database, insert, upsert
from storage.control.schema import CURSOR

Fence = tuple[str, int]  # the name of what is owned, and the epoch under which it was taken


class Cursors(Database):
    """Documents and epochs by the name of what is owned."""

    def cursor(self, name: str) -> dict[str, Any] | None:
        """What was saved last under this name."""
        with self.read() as connection:
            payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == name)).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=dict[str, Any] | None)

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """What was saved last under every name that begins so."""
        query = select(CURSOR.c.owner, CURSOR.c.payload).where(CURSOR.c.owner.startswith(prefix, autoescape=True)).order_by(CURSOR.c.owner)
        with self.read() as connection:
            found = {name: msgspec.json.decode(payload, type=dict[str, Any] | None) for name, payload in connection.execute(query)}
        return {name: payload for name, payload in found.items() if payload is not None}

    def forget(self, name: str) -> None:
        """Remove what was saved under this name."""
        with self.write(alone=False) as connection:
            connection.execute(delete(CURSOR).where(CURSOR.c.owner == name))

    def save_cursor(self, name: str, payload: dict[str, Any], epoch: int | None = None) -> None:
        """Save, durably; replaces what was there. With an epoch: raises Fenced, having saved nothing, if it is not the current one."""
        text = msgspec.json.encode(payload).decode()
        with self.write(alone=False) as connection:
            if epoch is None:
                upsert(connection, CURSOR, [{"owner": name, "payload": text}])
                return
            statement = update(CURSOR).where(CURSOR.c.owner == name, CURSOR.c.epoch == epoch).values(payload=text)
            if connection.execute(statement).rowcount == 0:
                raise _fenced(name, epoch)

    def save_fenced(self, name: str, payload: dict[str, Any], fence: Fence) -> None:
        """Save a document while the epoch of the fence is the current one. Raises Fenced, having saved nothing, if another owner has taken the model."""
        with self.write(alone=False) as connection:
            _check(connection, fence, lock=True)
            upsert(connection, CURSOR, [{"owner": name, "payload": msgspec.json.encode(payload).decode()}])

    def epochs(self, prefix: str) -> dict[str, int]:
        """The current epoch of everything that is owned and whose name begins so."""
        query = select(CURSOR.c.owner, CURSOR.c.epoch).where(CURSOR.c.owner.startswith(prefix, autoescape=True))
        with self.read() as connection:
            return {row.owner: row.epoch for row in connection.execute(query)}

    def take(self, name: str, least: int = 1) -> int:
        """Become the owner; the new epoch, which is not below `least`. From now on every older one is fenced."""
        with self.write(alone=False) as connection:
            statement = insert(connection, CURSOR).values(owner=name, payload="null", epoch=least)
            epoch = case((CURSOR.c.epoch < least, least), else_=CURSOR.c.epoch + 1)
            taken = statement.on_conflict_do_update(index_elements=["owner"], set_={"epoch": epoch}).returning(CURSOR.c.epoch)
            return int(connection.execute(taken).scalar_one())

    def holds(self, name: str, epoch: int) -> None:
        """Raise Fenced unless this epoch is the current one."""
        with self.read() as connection:
            _check(connection, (name, epoch), lock=False)


def hold(connection: Connection, fence: Fence) -> None:
    """Hold an ownership until the caller's transaction ends: nobody takes over meanwhile. Raises Fenced if somebody has already."""
    _check(connection, fence, lock=True)


def _check(connection: Connection, fence: Fence, *, lock: bool) -> None:
    name, epoch = fence
    query = select(CURSOR.c.epoch).where(CURSOR.c.owner == name)
    if connection.execute(query.with_for_update() if lock else query).scalar() != epoch:
        raise _fenced(name, epoch)


def _fenced(name: str, epoch: int) -> Fenced:
    return Fenced(f"`{name}` is not owned under epoch {epoch} any more: somebody else has taken it")
