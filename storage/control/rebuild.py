"""Requested rebuilds of the panes of models."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from core.document_name import OWNER, REBUILD
from storage.control.audit import audit
from storage.control.engine import Database, upsert
from storage.control.schema import CURSOR

State = Literal["none", "waiting", "running", "done"]


class Rebuilding(msgspec.Struct, frozen=True, kw_only=True):
    """The last requested rebuild of a model: `done` of `slots` are made again. `at` is when it was requested (microseconds), None if never."""

    state: State
    done: int
    slots: int
    at: int | None


class Rebuilds(Database):
    """A request gives the rebuild a number. The owner of the model saves its progress in its cursor."""

    def ask_rebuild(self, model: str, *, actor: str = "local") -> bool:
        """Request that all panes of a model are made again; False, with nothing changed, if an earlier rebuild has not ended."""
        with self.write() as connection:
            if _state(connection, model).state in {"waiting", "running"}:
                return False
            now = self._clock.now()
            number = max(now, _asked(connection, model).get("number", 0) + 1)  # a number that no deleted model of this name has had
            payload = msgspec.json.encode({"number": number, "at": now}).decode()
            upsert(connection, CURSOR, [{"owner": REBUILD + model, "payload": payload}])
            audit(connection, now, actor, "model.rebuild", model, None, {"number": number})
            return True

    def rebuilds(self) -> dict[str, int]:
        """By model the number of the last requested rebuild."""
        query = select(CURSOR.c.owner, CURSOR.c.payload).where(CURSOR.c.owner.startswith(REBUILD, autoescape=True))
        with self.read() as connection:
            return {name.removeprefix(REBUILD): msgspec.json.decode(payload)["number"] for name, payload in connection.execute(query)}

    def rebuilding(self, model: str) -> Rebuilding:
        """The progress of the last rebuild of a model."""
        with self.read() as connection:
            return _state(connection, model)


def _state(connection: Connection, model: str) -> Rebuilding:
    asked, known = _asked(connection, model), (_document(connection, OWNER + model).get("rebuild") or {})
    if not asked:
        return Rebuilding(state="none", done=0, slots=0, at=None)
    begun = known.get("number") == asked["number"]
    state: State = "waiting" if not begun else "done" if known["finished"] else "running"
    return Rebuilding(state=state, done=known["done"] if begun else 0, slots=known["slots"] if begun else 0, at=asked["at"])


def _asked(connection: Connection, model: str) -> dict[str, Any]:
    return _document(connection, REBUILD + model)


def _document(connection: Connection, name: str) -> dict[str, Any]:
    payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == name)).scalar()
    return {} if payload is None else msgspec.json.decode(payload, type=dict[str, Any] | None) or {}
