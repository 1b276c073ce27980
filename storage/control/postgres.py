"""The control database on PostgreSQL, for many processes on many machines."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.error import Fatal, Retryable

# The transaction of a process that has stopped ends before the lock timeout of those who wait for its locks.
_SESSION = "-c statement_timeout=30s -c lock_timeout=15s -c idle_in_transaction_session_timeout=10s"
_CONNECT: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "watchkeeper",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
_WRITERS, _PROCESSES = 0x776B0001, 0x776B0002  # keys of advisory locks: "wk" and a number
_LOOK = 0.2  # seconds between two tries for the process lock
_PAUSE = 2.0  # seconds that a caller is advised to wait

# SQLSTATEs, or their first two characters, that are temporary: connections, deadlocks and serialisation, resources, locks, restarts, the system.
_PASSING = ("08", "40", "53", "57", "58", "55P03", "55006", "25P03", "25006")
# The message of a refused connection, which has no SQLSTATE, and what a person can do.
_REFUSALS = {
    "password authentication failed": "set WATCHKEEPER_CONTROL__PASSWORD or WATCHKEEPER_CONTROL__PASSWORD_FILE to the password of {user}",
    "no password supplied": "set WATCHKEEPER_CONTROL__PASSWORD or WATCHKEEPER_CONTROL__PASSWORD_FILE",
    "no pg_hba.conf entry": "let {user} in by pg_hba.conf",
    'role ".*" does not exist': "CREATE ROLE {user} LOGIN",
    'database ".*" does not exist': "CREATE DATABASE {database} OWNER {user}",
}
_GRANTS = (
    "GRANT USAGE, CREATE ON SCHEMA public TO {user}; "
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}"
)


class PostgresDialect:
    """A pool of connections that replaces broken ones. Settings in the URL's query override ours."""

    def __init__(self, url: URL, password: str | None) -> None:
        self._url = url if password is None else url.set(password=password)
        arguments = {name: value for name, value in _CONNECT.items() if name not in url.query}
        self.engine = create_engine(
            self._url,
            connect_args={**arguments, "options": f"{_SESSION} {url.query.get('options', '')}".strip()},
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=10,
            pool_timeout=10,
            hide_parameters=True,
        )
        self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot, read only."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[Connection]:
        """A transaction in which each statement sees what is committed; `alone` by an advisory lock, given back at its end."""
        with self.engine.connect() as connection, connection.begin():
            if alone:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
            yield connection

    def migrating(self, connection: Connection) -> None:
        """Remove all time limits but the one for locks, since a migration that waits for a table blocks later transactions.

        Fatal if it cannot keep every text.
        """
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            name = _identifier(self._url.database or "")
            remedy = f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
            raise Fatal(f"the database {name} is encoded as {encoding}, and names may hold any letter; create it again: {remedy}")
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    def thinking(self, connection: Connection) -> None:
        """Set the time for which the server waits for the next statement."""
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A session lock on a connection of its own. It ends with the process, however that ends."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # closed at the end, not pooled: the lock cannot outlive this block
            while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _PROCESSES}).scalar():
                time.sleep(_LOOK)
            yield

    def fault(self, error: SQLAlchemyError) -> Retryable | Fatal:
        """By SQLSTATE; a refused connection has none and is recognised by its message."""
        place = self._url.host or self._url.query.get("host", "localhost")
        where = f"PostgreSQL at {place}:{self._url.port or 5432}/{self._url.database}"
        if isinstance(error, PoolTimeout):
            return Retryable(f"all connections to {where} are in use; try again")
        if isinstance(error, PendingRollbackError):
            return Retryable(f"the connection to {where} was lost", after=_PAUSE)
        cause = error.orig if isinstance(error, DBAPIError) else None
        state = getattr(cause, "sqlstate", None) or ""
        said = _server_message(cause) or type(error).__name__
        names = {"user": _identifier(self._url.username or "the user"), "database": _identifier(self._url.database or "watchkeeper")}
        if isinstance(error, OperationalError) and not state:
            remedy = next((remedy for refusal, remedy in _REFUSALS.items() if re.search(refusal, said)), None)
            if remedy:
                return Fatal(f"{where}: {said}; {remedy.format(**names)}")
            return Retryable(f"{where} does not answer: {said}", after=_PAUSE)
        if state.startswith(_PASSING):
            return Retryable(f"{where} cannot do this now: {said} ({state})", after=_PAUSE)
        if state == "42501":
            return Fatal(f"{where}: {said}; as its owner: {_GRANTS.format(**names)}")
        if state in {"42P01", "42703"}:
            return Fatal(f"{where} lacks tables of this version: {said}; run `watchkeeper migrate`")
        return Fatal(f"{where} failed: {said} ({state or 'no code'})")


def _server_message(cause: object) -> str:
    """The server's message in one line, without details, which would hold values of rows."""
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    return " ".join(str(primary or cause or "").split())


def _identifier(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'
