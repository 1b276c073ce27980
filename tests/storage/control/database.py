"""The two databases of a control store, for the tests of the store and of what is built on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from storage.control.schema import METADATA
from storage.control.store import ControlStore
from tests.services.fixture import PostgresAt


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresAt) -> Iterator[str]:
    """The URL of a database with all tables, for the session: to make one takes a second."""
    name = f"t{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(postgres.url)._replace(path=f"/{name}"))
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        store = ControlStore(url)
        store.migrate()
        store.close()
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each kind with nothing in it; a new file, or the session's emptied."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/control.db"
    url = str(request.getfixturevalue("migrated_postgres"))
    with psycopg.connect(url, autocommit=True, options="-c lock_timeout=120s") as connection:
        connection.execute(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY".encode())
    return url
