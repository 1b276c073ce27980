"""The two worlds, one embedded process and a cluster, for the tests that must hold in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.acceptance import watch
from tests.acceptance.world import Cluster, Embedded, Servers, World
from tests.services.fixture import ClickHouseAt, KafkaAt
from watchkeeper.demo import flights


@pytest.fixture(scope="session")
def observed(pairs: tuple[flights.Pair, ...], tmp_path_factory: pytest.TempPathFactory) -> tuple[flights.Pair, ...]:
    """The files of `pairs` with the fields that signals are made of."""
    folder = tmp_path_factory.mktemp("observed")
    return tuple(watch.observed(pair, folder) for pair in pairs)


@pytest.fixture
def servers(kafka: KafkaAt, kafka_prefix: str, clickhouse: ClickHouseAt, clickhouse_database: str, postgres_url: str) -> Servers:
    """The session's servers, with topics, a database and a control store of this test's own."""
    return Servers(
        bootstrap=kafka.bootstrap,
        prefix=kafka_prefix,
        clickhouse=clickhouse.url,
        user=clickhouse.user,
        password=clickhouse.password,
        database=clickhouse_database,
        control=postgres_url,
    )


@pytest.fixture(params=["embedded", "cluster"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Mapping[str, str]], World]:
    """Makes a world with these variables in its environment; enter it once."""
    if request.param == "embedded":
        return lambda environment: Embedded(tmp_path / "world", environment)
    servers = request.getfixturevalue("servers")
    return lambda environment: Cluster(tmp_path / "world", servers, environment)
