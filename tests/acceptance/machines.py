"""Servers of one test, which it may stop: Kafka, ClickHouse and PostgreSQL in a folder of their own."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from compose.servers.postgres import Postgres
from compose.servers.server import Failed, Server
from tests.acceptance.world import Servers
from tests.services.fixture import absent


class Machines:
    """The three servers by name; a test may kill, stop and start each of them."""

    def __init__(self, folder: Path) -> None:
        self.kafka, self.clickhouse = Kafka(folder / "kafka"), ClickHouse(folder / "clickhouse")
        self.postgres = Postgres(folder / "postgres")
        self.by_name: dict[str, Server] = {"broker": self.kafka, "clickhouse": self.clickhouse, "postgres": self.postgres}

    def servers(self, name: str) -> Servers:
        """The addresses for a new world; worlds with different names share only the servers."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return Servers(
            bootstrap=self.kafka.bootstrap,
            clickhouse=self.clickhouse.url,
            user=self.clickhouse.user,
            password=self.clickhouse.password,
            control=urlunsplit(urlsplit(self.postgres.url)._replace(path=f"/{name}")),
            prefix=f"{name}-",
            database=name,
        )

    def __enter__(self) -> Self:
        try:
            for server in self.by_name.values():
                server.start()
        except (Absent, Failed) as error:
            self._stop()
            absent(str(error))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        for server in self.by_name.values():
            server.stop()
