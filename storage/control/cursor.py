"""Cursors: a document in which the owner of some work saves its progress, and the epoch of that owner.

Whoever becomes the owner raises the *epoch* above all earlier ones. An owner with an older epoch is fenced: its writes are refused. `take` waits for a
transaction that the owner before has begun.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, case, delete, select, update

from core.error import Fenced
from storage.control.engine import Database, insert, upsert
from storage.control.schema import CURSOR

Fence = tuple[str, int]  # the name of the owned work, and the epoch under which it was taken


class Cursors(Database):
    """Documents and epochs by the name of the owned work."""

    def cursor(self, name: str) -> dict[str, Any] | None:
        """The document that was saved last under this name."""
        with self.read() as connection:
            payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == name)).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=dict[str, Any] | None)

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The documents that were saved last, by name, whose names begin with `prefix`."""
        query = select(CURSOR.c.owner, CURSOR.c.payload).where(CURSOR.c.owner.startswith(prefix, autoescape=True)).order_by(CURSOR.c.owner)
        with self.read() as connection:
            found = {name: msgspec.json.decode(payload, type=dict[str, Any] | None) for name, payload in connection.execute(query)}
        return {name: payload for name, payload in found.items() if payload is not None}

    def forget(self, name: str) -> None:
        """Remove the document of this name."""
        with self.write(alone=False) as connection:
            connection.execute(delete(CURSOR).where(CURSOR.c.owner == name))

    def save_cursor(self, name: str, payload: dict[str, Any], epoch: int | None = None) -> None:
        """Save a document durably in place of the one before. With an epoch: raises Fenced, having saved nothing, if that is not the current one."""
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
        """The current epochs by name, of owned work whose name begins with `prefix`."""
        query = select(CURSOR.c.owner, CURSOR.c.epoch).where(CURSOR.c.owner.startswith(prefix, autoescape=True))
        with self.read() as connection:
            return {row.owner: row.epoch for row in connection.execute(query)}

    def take(self, name: str, least: int = 1) -> int:
        """Become the owner. Returns the new epoch, which is not below `least`; every older one is fenced from now on."""
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
    """Keep an ownership until the caller's transaction ends: nobody can take it meanwhile. Raises Fenced if somebody has taken it already."""
    _check(connection, fence, lock=True)


def _check(connection: Connection, fence: Fence, *, lock: bool) -> None:
    name, epoch = fence
    query = select(CURSOR.c.epoch).where(CURSOR.c.owner == name)
    if connection.execute(query.with_for_update() if lock else query).scalar() != epoch:
        raise _fenced(name, epoch)


def _fenced(name: str, epoch: int) -> Fenced:
    return Fenced(f"`{name}` is not owned under epoch {epoch} any more: somebody else has taken it")
