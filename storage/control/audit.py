"""The audit: who changed what, when, from what to what. An entry is written in the transaction of its change, and never holds secrets."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from core.error import ConfigError
from storage.control.engine import Database
from storage.control.schema import AUDIT

Document = dict[str, Any] | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `at` is wall time, `subject` is what was changed. `before` is None if it is new, `after` is None if it was removed."""

    at: int
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def audit(connection: Connection, at: int, actor: str, action: str, subject: str, before: Document, after: Document) -> None:
    """Add an entry within the caller's transaction."""
    documents = {name: msgspec.json.encode(document).decode() for name, document in (("before", before), ("payload", after))}
    connection.execute(insert(AUDIT), {"at": at, "actor": actor, "action": action, "subject": subject, **documents})


class Audits(Database):
    """The entries of the audit."""

    def audit_entries(self, limit: int = 100, after: str | None = None) -> tuple[list[AuditEntry], str | None]:
        """Entries, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        query = select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(limit + 1)
        if after is not None:
            if not (after.isascii() and after.isdigit() and len(after) < 19):
                raise ConfigError(f"{after[:60]!r} is not a cursor", remedy="send the `next` of the page before, as it is")
            query = query.where(AUDIT.c.sequence < int(after))
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [_entry(row) for row in rows[:limit]], str(rows[limit - 1].sequence) if len(rows) > limit else None


def _entry(row: Any) -> AuditEntry:
    before, after = (msgspec.json.decode(text) for text in (row.before, row.payload))
    return AuditEntry(at=row.at, actor=row.actor, action=row.action, subject=row.subject, before=before, after=after)
