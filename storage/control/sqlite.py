"""The control database on SQLite: one file, one process, many threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.error import ConfigError, Fatal, Retryable

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-32000")
# Primary result codes that are temporary: another writer, no room, the file system.
_PASSING = {
    sqlite3.SQLITE_BUSY: "another process holds it",
    sqlite3.SQLITE_LOCKED: "another writer holds it",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk fails, or is full",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}


class Sqlite:
    """The database in a file that only its user may read, because it holds secrets."""

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigError("the control database must be a file: threads share it", remedy="write sqlite:////path/to/control.db")
        self._path = Path(url.database)
        self._path.touch(mode=0o600)
        self.engine = create_engine(url, hide_parameters=True)
        event.listen(self.engine, "connect", _tame)
        event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[Connection]:
        """The file's only writer, in any case."""
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            yield connection

    def migrating(self, connection: Connection) -> None:
        """Nothing: transactions have no time limit."""

    def thinking(self, connection: Connection) -> None:
        """Nothing: as above."""

    def alone(self) -> AbstractContextManager[None]:
        """Nothing: there is one process."""
        return nullcontext()

    def fault(self, error: SQLAlchemyError) -> Retryable | Fatal:
        """By SQLite's primary result code."""
        if isinstance(error, PoolTimeout):
            return Retryable(f"all connections to {self._path} are in use; try again")
        cause = error.orig if isinstance(error, DBAPIError) else None
        passing = _PASSING.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        if passing is not None:
            return Retryable(f"the control database {self._path} cannot be used now: {passing}", after=5.0)
        return Fatal(f"the control database {self._path} failed: {cause or type(error).__name__}")


def _tame(connection: Any, _record: object) -> None:
    """Let us begin transactions ourselves: Python's driver begins them late and never IMMEDIATE."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")
