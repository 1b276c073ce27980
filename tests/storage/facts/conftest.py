"""Both engines of the fact store, so that each test runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from storage.facts.chdb import Chdb
from storage.facts.engine import Engine
from storage.facts.http import Http
from storage.facts.migration import migrate
from storage.facts.view import quoted
from tests.services.fixture import ClickHouseAt, new_database

_TABLES = "SELECT name, engine, create_table_query AS made_by FROM system.tables WHERE database = currentDatabase() ORDER BY name"


@pytest.fixture(params=["chdb", "http"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine without tables."""
    with _engine(request, tmp_path / "facts") as engine:
        yield engine


@pytest.fixture(scope="module", params=["chdb", "http"])
def _shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine for a module."""
    with _engine(request, tmp_path_factory.mktemp("module") / "facts") as engine:
        yield engine


@pytest.fixture
def engine(_shared: Engine) -> Iterator[Engine]:
    """An engine with all tables, which are empty. They are made once a module, and again after a test that has changed them: migrations cost more than most tests."""
    migrate(_shared)
    made = _shared.query(_TABLES).to_pylist()
    yield _shared
    tables = _shared.query(_TABLES).to_pylist()
    for table in tables:
        if tables != made:
            _shared.command(f"DROP TABLE {quoted(table['name'])} SYNC")
        elif table["name"] != "migrations":
            _shared.command(f"TRUNCATE TABLE {table['name']} SYNC")  # the tokens of its inserts go, too


@contextmanager
def _engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    """The engine that the fixture's parameter names: in a folder, or in a database of its own."""
    if request.param == "chdb":
        with closing(Chdb(folder)) as engine:
            yield engine
    else:
        server: ClickHouseAt = request.getfixturevalue("clickhouse")
        with new_database(server) as database, closing(Http(server.url, server.user, server.password, database)) as engine:
            yield engine
