"""What was defined at an earlier time."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from sqlalchemy import func, select

from core.monitor import Monitor
from storage.control.engine import Database
from storage.control.schema import CONTRACT, MONITOR_HISTORY, RETIRED_MODEL, RETIRED_MONITOR


class PastMonitor(NamedTuple):
    """A monitor as it was defined at a time, and whether it had been deleted by then."""

    monitor: Monitor
    deleted: bool


class PastContract(NamedTuple):
    """The version of a model's contract at a time, and whether the model had been deleted by then."""

    version: int
    deleted: bool


class Histories(Database):
    """Definitions by time, in microseconds of the wall clock."""

    def monitors_at(self, at: int, model: str | None = None) -> list[PastMonitor]:
        """The monitors of a model, or all, that had been defined by a time, by model and name. Of two deletions of a monitor only the later one is known."""
        history, gone = MONITOR_HISTORY.c, RETIRED_MONITOR.c
        last = select(history.model, history.name, func.max(history.revision).label("revision")).where(history.created_at <= at)
        last = (last if model is None else last.where(history.model == model)).group_by(history.model, history.name)
        newest = last.subquery()
        of = (history.model == newest.c.model) & (history.name == newest.c.name) & (history.revision == newest.c.revision)
        retired = (
            (gone.model == history.model) & (gone.name == history.name) & (gone.retired_at <= at) & (gone.retired_at >= history.created_at)
        )
        query = (
            select(history.payload, gone.retired_at)
            .join(newest, of)
            .outerjoin(RETIRED_MONITOR, retired)
            .order_by(history.model, history.name)
        )
        with self.read() as connection:
            return [PastMonitor(msgspec.json.decode(row[0], type=Monitor), row[1] is not None) for row in connection.execute(query)]

    def contracts_at(self, at: int, model: str | None = None) -> dict[str, PastContract]:
        """By model the newest contract that had been given by a time, of one model or of all."""
        given, gone = CONTRACT.c, RETIRED_MODEL.c
        last = select(given.model, func.max(given.version).label("version")).where(given.created_at <= at)
        newest = (last if model is None else last.where(given.model == model)).group_by(given.model).subquery()
        retired = (gone.model == newest.c.model) & (gone.version >= newest.c.version) & (gone.retired_at <= at)
        query = select(newest.c.model, newest.c.version, gone.retired_at).outerjoin(RETIRED_MODEL, retired)
        with self.read() as connection:
            return {row[0]: PastContract(row[1], row[2] is not None) for row in connection.execute(query)}
