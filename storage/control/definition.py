"""The definitions that people write: monitors, with their history, and destinations. Applying creates or changes, and never deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, func, insert, select

from core.destination import Destination
from core.error import ConfigError
from core.monitor import Monitor
from storage.control.audit import audit
from storage.control.engine import Database, upsert
from storage.control.schema import AUDIT, DESTINATION, MONITOR, MONITOR_HISTORY

Outcome = Literal["created", "changed", "unchanged"]
Applied = tuple[str, str, Outcome]  # model ("" for a destination), name, what became of it


class Definitions(Database):
    """Monitors by (model, name), destinations by name."""

    def monitors(self, model: str | None = None) -> list[Monitor]:
        """The monitors of a model, or all, by model and name."""
        query = select(MONITOR.c.payload).order_by(MONITOR.c.model, MONITOR.c.name)
        with self.read() as connection:
            payloads = connection.execute(query if model is None else query.where(MONITOR.c.model == model)).scalars()
            return [msgspec.json.decode(payload, type=Monitor) for payload in payloads]

    def monitor_revision(self, model: str, name: str, revision: int) -> Monitor | None:
        """A monitor as it was defined in one of its revisions."""
        history = MONITOR_HISTORY.c
        query = select(history.payload).where(history.model == model, history.name == name, history.revision == revision)
        with self.read() as connection:
            payload = connection.execute(query).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=Monitor)

    def apply_monitors(self, monitors: Sequence[Monitor], *, dry_run: bool = False, actor: str = "local") -> list[Applied]:
        """Create or change monitors, all or none. A change raises the stored revision by one, whatever `Monitor.revision` is."""
        _distinct((monitor.model, monitor.name) for monitor in monitors)
        with self.write() as connection:
            return [self._apply_monitor(connection, monitor, dry_run=dry_run, actor=actor) for monitor in monitors]

    def _apply_monitor(self, connection: Connection, monitor: Monitor, *, dry_run: bool, actor: str) -> Applied:
        query = select(MONITOR.c.payload).where(MONITOR.c.model == monitor.model, MONITOR.c.name == monitor.name)
        payload = connection.execute(query).scalar()
        stored = None if payload is None else msgspec.json.decode(payload, type=Monitor)
        if stored and stored == msgspec.structs.replace(monitor, revision=stored.revision, since=stored.since):
            return monitor.model, monitor.name, "unchanged"
        outcome: Outcome = "changed" if stored else "created"
        if not dry_run:
            since = stored.evaluated_revision if stored and stored.evaluates_like(monitor) else 0
            saved = msgspec.structs.replace(monitor, revision=_last(connection, monitor) + 1, since=since)
            row = {"model": saved.model, "name": saved.name, "revision": saved.revision, "payload": msgspec.json.encode(saved).decode()}
            now = self._clock.now()
            upsert(connection, MONITOR, [row])
            connection.execute(insert(MONITOR_HISTORY), {**row, "created_at": now})
            before = msgspec.to_builtins(stored)
            audit(connection, now, actor, f"monitor.{outcome}", f"{saved.model}/{saved.name}", before, msgspec.to_builtins(saved))
        return monitor.model, monitor.name, outcome

    def change_count(self) -> int:
        """A number that changes whenever any process defines, changes or deletes anything: how many entries the audit has.

        The number of the newest entry would not do: on PostgreSQL an entry with a lower number may become visible later.
        """
        with self.read() as connection:
            return connection.execute(select(func.count()).select_from(AUDIT)).scalar_one()

    def destinations(self) -> list[Destination]:
        """All destinations, by name."""
        with self.read() as connection:
            payloads = connection.execute(select(DESTINATION.c.payload).order_by(DESTINATION.c.name)).scalars()
            return [msgspec.json.decode(payload, type=Destination) for payload in payloads]

    def apply_destinations(self, destinations: Sequence[Destination], *, dry_run: bool = False, actor: str = "local") -> list[Applied]:
        """Create or change destinations, all or none."""
        _distinct(destination.name for destination in destinations)
        with self.write() as connection:
            return [self._apply_destination(connection, destination, dry_run=dry_run, actor=actor) for destination in destinations]

    def _apply_destination(self, connection: Connection, destination: Destination, *, dry_run: bool, actor: str) -> Applied:
        payload = connection.execute(select(DESTINATION.c.payload).where(DESTINATION.c.name == destination.name)).scalar()
        stored = None if payload is None else msgspec.json.decode(payload, type=Destination)
        if stored == destination:
            return "", destination.name, "unchanged"
        outcome: Outcome = "changed" if stored else "created"
        if not dry_run:
            upsert(connection, DESTINATION, [{"name": destination.name, "payload": msgspec.json.encode(destination).decode()}])
            before = stored.shown() if stored else None
            audit(connection, self._clock.now(), actor, f"destination.{outcome}", destination.name, before, destination.shown())
        return "", destination.name, outcome


def _last(connection: Connection, monitor: Monitor) -> int:
    """The last revision that a monitor of this name has had; 0 if there was none."""
    history = MONITOR_HISTORY.c
    query = select(func.max(history.revision)).where(history.model == monitor.model, history.name == monitor.name)
    return connection.execute(query).scalar() or 0


def _distinct(keys: Iterable[Hashable]) -> None:
    """Raise ConfigError if a name is defined twice."""
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        name = "/".join(twice[0]) if isinstance(twice[0], tuple) else twice[0]
        raise ConfigError(f"`{name}` is defined twice", remedy="keep one of the two, or give them different names")
