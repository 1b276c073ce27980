"""The engine behind the facts: chDB, the ClickHouse engine within this process, through clickhouse-connect.

One process a data folder, one data folder a process; never fork. Each thread has a client of its own: a slow question
does not hold up an insert.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from core.error import Fatal

DATABASE = "watchkeeper"

# A token must identify the same rows in every table that an insert reaches, and an insert is done when it returns. Its rows are
# distinct already: to have them merged before they are written would only cost time.
_WRITE = {"async_insert": 0, "max_partitions_per_insert_block": 0, "optimize_on_insert": 0}
# Of every question: texts of low cardinality come as dictionaries. Set once a client; with each question they would be five statements more.
_READ = {"output_format_arrow_low_cardinality_as_dictionary": 1, "output_format_arrow_string_as_string": 1}


class Engine:
    """Runs statements; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._local = threading.local()
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        self.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic", database=False)

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        """Insert rows, once: a second insert under the same `token` changes nothing. Without a token they are always inserted."""
        if rows.num_rows:
            # `insert_deduplicate = 0` would not do: without a token the content becomes one.
            settings = {**_WRITE, "insert_deduplication_token": token or uuid4().hex}
            self._client().insert_arrow(table, rows, database=DATABASE, settings=settings)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Ask; texts of low cardinality come as dictionaries. Tables are named without their database."""
        return self._client().query_arrow(sql, parameters=dict(parameters or {}))

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None, *, database: bool = True) -> None:
        """Run a statement that answers nothing."""
        self._client(database=database).command(sql, parameters=dict(parameters or {}))

    def ping(self) -> None:
        """Raise if the engine does not answer."""
        self.query("SELECT 1")

    def close(self) -> None:
        """Close every thread's client; the folder is free afterwards."""
        with self._lock:
            while self._clients:
                self._clients.pop().close()
            self._local = threading.local()

    def _client(self, *, database: bool = True) -> Any:
        if (client := getattr(self._local, "client", None)) is None:
            try:
                client = clickhouse_connect.get_client(interface="chdb", path=str(self._folder), settings=_READ)
            except ClickHouseError as error:
                raise Fatal(
                    f"{self._folder} cannot be opened: {error}. Is another Watchkeeper running on this folder? Stop it, or use another --data."
                ) from error
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        if database and not getattr(self._local, "used", False):
            client.command(f"USE {DATABASE}")
            self._local.used = True
        return client
