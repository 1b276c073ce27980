"""Cursors: how far each owner of some work has come, as the owner's own document."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from storage.control.engine import Database, upsert
from storage.control.schema import CURSOR


class Cursors(Database):
    """Documents by the name of their owner."""

    def cursor(self, name: str) -> dict[str, Any] | None:
        """What was saved last under this name."""
        with self.read() as connection:
            payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == name)).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=dict[str, Any])

    def save_cursor(self, name: str, payload: dict[str, Any]) -> None:
        """Save, durably; replaces what was there."""
        with self.write() as connection:
            upsert(connection, CURSOR, [{"owner": name, "payload": msgspec.json.encode(payload).decode()}])
