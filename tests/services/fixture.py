"""The fixtures `kafka`, `clickhouse`, `postgres` (one server a session), and a corner of each for one test.

`WATCHKEEPER_TEST_KAFKA=host:port`, `WATCHKEEPER_TEST_CLICKHOUSE=http://user:password@host:port` and
`WATCHKEEPER_TEST_POSTGRES=postgresql://user:password@host:port/postgres` name servers that run already, and win. Without them
the servers are fetched and started; where they cannot be had, a test is skipped, or fails under `WATCHKEEPER_REQUIRE_SERVICES=1`.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from compose.servers.postgres import Postgres
from compose.servers.server import Failed, Server

S = TypeVar("S", bound=Server)


class KafkaAt(NamedTuple):
    """A broker, and its launcher if we started it."""

    bootstrap: str
    server: Kafka | None = None


class ClickHouseAt(NamedTuple):
    """A ClickHouse server, and its launcher if we started it."""

    url: str
    user: str
    password: str
    server: ClickHouse | None = None


class PostgresAt(NamedTuple):
    """A PostgreSQL server by the URL of a database from which others may be made, and its launcher if we started it."""

    url: str
    server: Postgres | None = None


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaAt]:
    """A broker for the session."""
    if named := os.environ.get("WATCHKEEPER_TEST_KAFKA"):
        yield KafkaAt(named)
        return
    with _started(Kafka) as server:
        yield KafkaAt(server.bootstrap, server)


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[ClickHouseAt]:
    """A ClickHouse server for the session."""
    if named := os.environ.get("WATCHKEEPER_TEST_CLICKHOUSE"):
        parts = urlsplit(named)
        place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        yield ClickHouseAt(place, unquote(parts.username or "default"), unquote(parts.password or ""))
        return
    with _started(ClickHouse) as server:
        yield ClickHouseAt(server.url, server.user, server.password, server)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresAt]:
    """A PostgreSQL server for the session."""
    if named := os.environ.get("WATCHKEEPER_TEST_POSTGRES"):
        yield PostgresAt(named)
        return
    with _started(Postgres) as server:
        yield PostgresAt(server.url, server)


@pytest.fixture
def kafka_prefix(kafka: KafkaAt) -> Iterator[str]:
    """A prefix of topics and groups that no other test has; its topics are deleted at the end."""
    prefix = f"t{secrets.token_hex(4)}-"
    yield prefix
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    if topics := [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]:
        for deleted in admin.delete_topics(topics, request_timeout=10).values():
            deleted.result()


@pytest.fixture
def clickhouse_database(clickhouse: ClickHouseAt) -> Iterator[str]:
    """A new, empty database, dropped at the end."""
    name = f"t{secrets.token_hex(4)}"
    with httpx.Client(base_url=clickhouse.url, auth=(clickhouse.user, clickhouse.password), timeout=60) as client:
        client.post("/", content=f"CREATE DATABASE {name} ENGINE = Atomic").raise_for_status()
        yield name
        client.post("/", content=f"DROP DATABASE IF EXISTS {name} SYNC").raise_for_status()


@pytest.fixture
def postgres_url(postgres: PostgresAt) -> Iterator[str]:
    """The URL of a new, empty database, dropped at the end, whoever is still connected."""
    name = f"t{secrets.token_hex(4)}"
    parts = urlsplit(postgres.url)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(parts._replace(path=f"/{name}"))
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _started(make: Callable[[Path], S]) -> Iterator[S]:
    """The server on a free port and in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="watchkeeper-", ignore_cleanup_errors=True) as folder:
        server = make(Path(folder))
        try:
            server.start()
        except (Absent, Failed) as error:
            absent(str(error))
        try:
            yield server
        finally:
            server.stop()


def absent(reason: str) -> NoReturn:
    """Skip the test for want of a server, or fail it where servers are required."""
    if os.environ.get("WATCHKEEPER_REQUIRE_SERVICES"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
