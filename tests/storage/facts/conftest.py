"""Both engines of the fact store, so that each test runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.facts.chdb import Chdb
from storage.facts.engine import Engine
from storage.facts.http import Http
from storage.facts.migration import migrate
from tests.services.fixture import ClickHouseAt


@pytest.fixture(params=["chdb", "http"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine without tables."""
    engine: Engine
    if request.param == "chdb":
        engine = Chdb(tmp_path / "facts")
    else:
        server: ClickHouseAt = request.getfixturevalue("clickhouse")
        engine = Http(server.url, server.user, server.password, request.getfixturevalue("clickhouse_database"))
    yield engine
    engine.close()


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """An engine with all tables."""
    migrate(bare)
    return bare
