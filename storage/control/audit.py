"""The audit: who changed what, when. Written in the transaction of the change; secrets are never in it."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from storage.control.engine import Database
from storage.control.schema import AUDIT


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `at` is wall time, `subject` what was changed, `payload` what it was changed to."""

    at: int
    actor: str
    action: str
    subject: str
    payload: dict[str, Any]


def audit(connection: Connection, at: int, actor: str, action: str, subject: str, payload: dict[str, Any]) -> None:
    """Add an entry within the caller's transaction."""
    text = msgspec.json.encode(payload).decode()
    connection.execute(insert(AUDIT), {"at": at, "actor": actor, "action": action, "subject": subject, "payload": text})


class Audits(Database):
    """The entries of the audit."""

    def audit_entries(self, limit: int = 100) -> list[Entry]:
        """The newest entries, newest first."""
        with self.read() as connection:
            rows = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(limit)).all()
        return [
            Entry(at=row.at, actor=row.actor, action=row.action, subject=row.subject, payload=msgspec.json.decode(row.payload))
            for row in rows
        ]
