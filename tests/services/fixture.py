"""The fixtures `kafka`, `clickhouse`, `postgres` (one server a session, however many workers there are), and a part of each server for one test.

`WATCHKEEPER_TEST_KAFKA=host:port`, `WATCHKEEPER_TEST_CLICKHOUSE=http://user:password@host:port` and
`WATCHKEEPER_TEST_POSTGRES=postgresql://user:password@host:port/postgres` name servers that run already, and win. Without them
the servers are fetched and started; where they cannot be had, a test is skipped, or fails under `WATCHKEEPER_REQUIRE_SERVICES=1`.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from compose.servers.postgres import Postgres
from compose.servers.server import Failed

KAFKA, CLICKHOUSE, POSTGRES = VARIABLES = ("WATCHKEEPER_TEST_KAFKA", "WATCHKEEPER_TEST_CLICKHOUSE", "WATCHKEEPER_TEST_POSTGRES")


class KafkaAt(NamedTuple):
    """A broker."""

    bootstrap: str


class ClickHouseAt(NamedTuple):
    """A ClickHouse server."""

    url: str
    user: str
    password: str


class PostgresAt(NamedTuple):
    """A PostgreSQL server by the URL of a database from which others may be made."""

    url: str


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaAt]:
    """A broker for the session."""
    with _address(KAFKA) as bootstrap:
        yield KafkaAt(bootstrap)


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[ClickHouseAt]:
    """A ClickHouse server for the session."""
    with _address(CLICKHOUSE) as url:
        parts = urlsplit(url)
        place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        yield ClickHouseAt(place, unquote(parts.username or "default"), unquote(parts.password or ""))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresAt]:
    """A PostgreSQL server for the session."""
    with _address(POSTGRES) as url:
        yield PostgresAt(url)


@pytest.fixture
def kafka_prefix(kafka: KafkaAt) -> Iterator[str]:
    """A prefix of topics and groups that no other test has; its topics are deleted at the end."""
    prefix = f"t{secrets.token_hex(4)}-"
    yield prefix
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    if topics := [name for name in admin.list_topics(timeout=120).topics if name.startswith(prefix)]:
        for deleted in admin.delete_topics(topics, request_timeout=120).values():
            deleted.result()


@pytest.fixture
def clickhouse_database(clickhouse: ClickHouseAt) -> Iterator[str]:
    """A new, empty database, dropped at the end."""
    with new_database(clickhouse) as name:
        yield name


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
def new_database(server: ClickHouseAt) -> Iterator[str]:
    """The name of a new, empty database, dropped at the end."""
    name = f"t{secrets.token_hex(4)}"
    with httpx.Client(base_url=server.url, auth=(server.user, server.password), timeout=300) as client:
        client.post("/", content=f"CREATE DATABASE {name} ENGINE = Atomic").raise_for_status()
        yield name
        client.post("/", content=f"DROP DATABASE IF EXISTS {name} SYNC").raise_for_status()


@contextmanager
def serving(variable: str) -> Iterator[Kafka | ClickHouse | Postgres]:
    """A server on a free port and in a folder that goes with it. Raises Absent and Failed."""
    with tempfile.TemporaryDirectory(prefix="watchkeeper-", ignore_cleanup_errors=True) as folder:
        server = {KAFKA: Kafka, CLICKHOUSE: ClickHouse, POSTGRES: Postgres}[variable](Path(folder))
        with server:
            yield server


def address(server: Kafka | ClickHouse | Postgres) -> str:
    """Where it is, as its variable would name it."""
    return server.bootstrap if isinstance(server, Kafka) else server.url


@contextmanager
def _address(variable: str) -> Iterator[str]:
    """The address of the server that the variable names, or else of one for the session."""
    with ExitStack() as stack:
        try:
            found = os.environ.get(variable) or address(stack.enter_context(serving(variable)))
        except (Absent, Failed) as error:
            absent(str(error))
        yield found


def absent(reason: str) -> NoReturn:
    """Skip the test for want of a server, or fail it where servers are required."""
    if os.environ.get("WATCHKEEPER_REQUIRE_SERVICES"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
