"""The hooks: when the retraining of a model is asked for, and of whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from core.hook import Hook
from storage.control.audit import audit
from storage.control.definition import Applied
from storage.control.engine import Database, upsert
from storage.control.schema import HOOK


class Hooks(Database):
    """Hooks by name."""

    def hooks(self, model: str | None = None) -> list[Hook]:
        """The hooks of a model, or all, by name."""
        with self.read() as connection:
            return hooks_of(connection, model)

    def apply_hooks(self, hooks: Sequence[Hook], *, dry_run: bool = False, actor: str = "local") -> list[Applied]:
        """Create or change hooks, all or none. A schedule counts from the change on."""
        with self.write() as connection:
            return [self._apply_hook(connection, one, dry_run=dry_run, actor=actor) for one in hooks]

    def _apply_hook(self, connection: Connection, hook: Hook, *, dry_run: bool, actor: str) -> Applied:
        stored, now = hook_of(connection, hook.name), self._clock.now()
        if stored is not None and stored == msgspec.structs.replace(hook, since=stored.since):
            return hook.model, hook.name, "unchanged"
        outcome: Any = "changed" if stored else "created"
        if not dry_run:
            saved = msgspec.structs.replace(hook, since=now)
            row = {"name": hook.name, "model": hook.model, "scheduled": now, "payload": msgspec.json.encode(saved).decode()}
            upsert(connection, HOOK, [row])
            audit(connection, now, actor, f"hook.{outcome}", hook.name, stored.shown() if stored else None, saved.shown())
        return hook.model, hook.name, outcome


def hooks_of(connection: Connection, model: str | None = None) -> list[Hook]:
    """The hooks of a model, or all, by name."""
    query = select(HOOK.c.payload).order_by(HOOK.c.name)
    payloads = connection.execute(query if model is None else query.where(HOOK.c.model == model)).scalars()
    return [msgspec.json.decode(payload, type=Hook) for payload in payloads]


def hook_of(connection: Connection, name: str) -> Hook | None:
    """The hook of this name; None if there is none."""
    payload = connection.execute(select(HOOK.c.payload).where(HOOK.c.name == name)).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Hook)


def drop_hook(connection: Connection, hook: Hook, now: int, actor: str) -> None:
    """Delete a hook."""
    connection.execute(delete(HOOK).where(HOOK.c.name == hook.name))
    audit(connection, now, actor, "hook.deleted", hook.name, hook.shown(), None)
