"""The control database: SQLite in the data directory, or PostgreSQL; only the URL differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Table, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.clock import Clock, SystemClock
from core.error import ConfigError, Fatal, Retryable
from storage.control.migration import upgrade
from storage.control.postgres import PostgresDialect
from storage.control.sqlite import Sqlite

_INSERT: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Dialect(Protocol):
    """What SQLite and PostgreSQL do differently. SQLAlchemy's errors are raised as they are; `fault` translates them."""

    engine: Engine

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state and writes nothing."""
        ...

    def writing(self, *, alone: bool) -> AbstractContextManager[Connection]:
        """A transaction that may write; no two transactions that are `alone` run at the same time."""
        ...

    def migrating(self, connection: Connection) -> None:
        """Let a transaction take as long as it needs."""
        ...

    def thinking(self, connection: Connection) -> None:
        """Let a transaction compute for up to a minute between two statements."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Only one process at a time may be within."""
        ...

    def fault(self, error: SQLAlchemyError) -> Retryable | Fatal:
        """The error for the caller, without secrets and values."""
        ...


class Database:
    """One pool of connections, shared by all threads. `url` is `sqlite:////data/control.db` or `postgresql://user@host/database`.

    Every failure is raised as `Retryable` (the server is away or too busy, its disk is full: the same may succeed later) or `Fatal`
    (login, rights or schema are wrong: a person must look). `password` may be given apart from the URL.
    """

    def __init__(self, url: str, clock: Clock | None = None, password: str | None = None) -> None:
        self._clock = clock or SystemClock()
        self._backend = _backend(url, password)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and writes nothing."""
        with self._translated(), self._backend.reading() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """A transaction that may write. It takes the write lock at its beginning, so that what it reads stays true until it commits.

        With `alone=False` it relies on the locks of the rows that it writes: on PostgreSQL it then does not wait for other writers.
        """
        with self._translated(), self._backend.writing(alone=alone) as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one process at a time may be within; the others wait. SQLite has only one process."""
        with self._translated(), self._backend.alone():
            yield

    def migrate(self) -> list[str]:
        """Apply the missing migrations, all or none, also if several processes begin at once. Returns their names.

        Raises Fatal if the data is of a newer version.
        """
        with self.write() as connection:
            self._backend.migrating(connection)
            return upgrade(connection)

    def ping(self) -> None:
        """One round trip; raises Retryable or Fatal if the database does not answer."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._backend.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._backend.fault(error) from error


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    values = list(rows)
    if not values:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    rest = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys and column.name in values[0]
    }
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest), values)


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may have an ON CONFLICT clause."""
    return _INSERT[connection.dialect.name](table)


def _backend(url: str, password: str | None) -> Dialect:
    try:
        address: URL = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number; the URL may hold a password, so it is not shown
        raise ConfigError("the control database's URL cannot be read", remedy=_REMEDY) from None
    match address.drivername:
        case "sqlite":
            return Sqlite(address)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            try:
                return PostgresDialect(address.set(drivername="postgresql+psycopg"), password)
            except ModuleNotFoundError as error:
                raise ConfigError(f"PostgreSQL's driver is not installed ({error})", remedy="pip install 'watchkeeper[cluster]'") from error
        case other:
            raise ConfigError(f"there is no control database of kind `{other}`", remedy=_REMEDY)


_REMEDY = "write postgresql://user@host:5432/database or sqlite:////path/to/control.db"
