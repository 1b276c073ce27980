"""Rebuilds of models' panes that somebody has asked for."""

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
    """The rebuild of a model that was asked for last: `done` of `slots` are made again; `at` is when it was asked for, None if never (microseconds)."""

    state: State
    done: int
    slots: int
    at: int | None


class Rebuilds(Database):
    """Who asks gives a number; the owner of the model keeps in its cursor how far it has come."""

    def ask_rebuild(self, model: str, *, actor: str = "local") -> bool:
        """Ask for all panes of a model to be made again; False if that was asked for and has not ended: then nothing changes."""
        with self.write() as connection:
            if _state(connection, model).state in {"waiting", "running"}:
                return False
            now = self._clock.now()
            number = max(now, _asked(connection, model).get("number", 0) + 1)  # no model that was deleted and made again had it
            payload = msgspec.json.encode({"number": number, "at": now}).decode()
            upsert(connection, CURSOR, [{"owner": REBUILD + model, "payload": payload}])
            audit(connection, now, actor, "model.rebuild", model, None, {"number": number})
            return True

    def rebuilds(self) -> dict[str, int]:
        """By model the number of the rebuild that was asked for last."""
        query = select(CURSOR.c.owner, CURSOR.c.payload).where(CURSOR.c.owner.startswith(REBUILD, autoescape=True))
        with self.read() as connection:
            return {name.removeprefix(REBUILD): msgspec.json.decode(payload)["number"] for name, payload in connection.execute(query)}

    def rebuilding(self, model: str) -> Rebuilding:
        """How far the last rebuild of a model has come."""
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
