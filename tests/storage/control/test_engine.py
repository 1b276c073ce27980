"""The database: migrations, transactions, threads."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from core.error import ConfigError, Fatal, Retryable
from storage.control.migration import migrations, newest
from storage.control.schema import METADATA
from storage.control.store import ControlStore


def test_migrating_twice_changes_nothing_and_leads_to_the_schema(store: ControlStore) -> None:
    """The migrations and the tables in the code are the same."""
    assert store.migrate() == []
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_data_of_a_newer_version_is_refused(store: ControlStore) -> None:
    """Going back a version is an error, not a guess."""
    setting = text("UPDATE alembic_version SET version_num = :version")
    with store.write() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.execute(setting, {"version": "9999"})
    with pytest.raises(Fatal, match="newer version"):
        store.migrate()
    with store.write() as connection:
        connection.execute(setting, {"version": version})
    assert store.migrate() == []


def test_the_newest_migration_is_the_one_to_which_alembic_migrates() -> None:
    """It is found in the files without Alembic."""
    assert newest() == ScriptDirectory.from_config(migrations()).get_current_head()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_commits_are_durable_and_checked(store: ControlStore, tmp_path: Path) -> None:
    """WAL, full sync, foreign keys; only the owner may read the file."""
    with store.read() as connection:
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert pragmas == ["wal", 2, 1]
    assert (tmp_path / "control.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_threads_cannot_share_is_refused(url: str) -> None:
    """Each connection to memory would see another database."""
    with pytest.raises(ConfigError, match="must be a file"):
        ControlStore(url)


def test_a_write_transaction_is_alone_from_its_first_moment(store: ControlStore) -> None:
    """What it read cannot be changed under it: a second writer waits, a reader does not."""
    order: list[str] = []

    def second() -> None:
        with store.write():
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            waiting = pool.submit(second)
            with store.read() as reader:
                assert reader.execute(text("SELECT count(*) FROM cursors")).scalar() == 0
            assert wait([waiting], timeout=0.3).not_done
            order.append("first")
            connection.execute(text("INSERT INTO cursors VALUES ('a', '{}', 0)"))
        waiting.result(300)
    assert order == ["first", "second"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_without_room_or_held_by_another_process_may_be_tried_again(url: str, store: ControlStore, tmp_path: Path) -> None:
    """Neither ends the process; what was there stays, and the store goes on by itself."""
    with pytest.raises(Retryable, match="the disk is full"), store.write() as connection:
        fill(connection)
    with store.read() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
        connection.execute(text("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(tmp_path / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retryable, match="another process"):
            store.save_cursor("a", {})
        other.execute("COMMIT")
    store.save_cursor("a", {})
    assert store.cursor("a") == {}


def fill(connection: Connection) -> None:
    connection.execute(text("PRAGMA max_page_count = 1"))
    connection.execute(text("INSERT INTO cursors VALUES ('a', :payload, 0)"), {"payload": "x" * 10**6})


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_is_a_persons_business(url: str, tmp_path: Path) -> None:
    """Trying again would not help."""
    (tmp_path / "control.db").write_bytes(b"something else entirely, and long enough to be looked at" * 100)
    store = ControlStore(url)
    with pytest.raises(Fatal, match="not a database"):
        store.ping()
    store.close()


@pytest.mark.parametrize("url", ["mysql://host/db", "postgresql+asyncpg://host/db", "nonsense", "postgresql://host:port/db"])
def test_another_kind_of_database_is_refused_with_what_to_write(url: str) -> None:
    """What the URL holds may be secret and is not shown."""
    with pytest.raises(ConfigError, match="write postgresql://") as refused:
        ControlStore(url)
    assert "host" not in refused.value.message


def test_a_transaction_that_raises_leaves_nothing(store: ControlStore) -> None:
    """All or nothing."""

    def break_off() -> None:
        with store.write() as connection:
            connection.execute(text("INSERT INTO cursors VALUES ('a', '{}', 0)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert store.cursor("a") is None


def test_threads_that_read_and_then_write_lose_no_update(store: ControlStore) -> None:
    """Eight threads count to two hundred together, while others read."""

    def count(_: int) -> None:
        with store.write() as connection:
            seen = connection.execute(text("SELECT payload FROM cursors WHERE owner = 'n'")).scalar() or "0"
            connection.execute(
                text("INSERT INTO cursors VALUES ('n', :n, 0) ON CONFLICT (owner) DO UPDATE SET payload = :n"), {"n": str(int(seen) + 1)}
            )
        store.ping()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    with store.read() as connection:
        assert connection.execute(text("SELECT payload FROM cursors")).scalar() == "200"
