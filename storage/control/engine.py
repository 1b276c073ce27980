"""The connection to the control database: SQLite in the data directory, or PostgreSQL; only the URL differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite

from core.clock import Clock, SystemClock
from core.error import ConfigError, Fatal

_INSERT: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")


class Database:
    """One pool of connections, shared by all threads. `url` is SQLAlchemy's, such as `sqlite:////data/control.db`."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            path = make_url(url).database
            if not path or path == ":memory:":
                raise ConfigError("the control database must be a file: threads share it", remedy="write sqlite:////path/to/control.db")
            Path(path).touch(mode=0o600)  # it holds secrets
            _tame(self._engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and writes nothing."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that takes the right to write at once, so that what it reads stays true until it commits."""
        with self._engine.connect().execution_options(write=True) as connection, connection.begin():
            yield connection

    def migrate(self) -> list[str]:
        """Apply the missing migrations, all or none; their names. Raises Fatal if the data is of a newer version."""
        config = Config()
        config.set_main_option("script_location", "storage.control:alembic")
        with self.write() as connection:
            config.attributes["connection"] = connection
            before = MigrationContext.configure(connection).get_current_revision()
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Fatal(f"the control database cannot be migrated: {error}; was it written by a newer version?") from error
            after = MigrationContext.configure(connection).get_current_revision()
            script = ScriptDirectory.from_config(config)
            return [] if after == before else [step.revision for step in script.iterate_revisions(after, before)][::-1]

    def ping(self) -> None:
        """One round trip; raises SQLAlchemy's error if the database does not answer."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    values = list(rows)
    if not values:
        return
    insert = _INSERT[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys and column.name in values[0]}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest), values)


def _tame(engine: Engine) -> None:
    """Take transactions out of the hands of Python's driver, which begins them late and never IMMEDIATE."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")
