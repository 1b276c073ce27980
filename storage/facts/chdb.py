"""The engine within this process: chDB, which is ClickHouse as a library.

One process a data folder, one data folder a process; never fork. Each thread has a client of its own: a slow question
does not hold up an insert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from core.error import Fatal
from storage.facts.engine import DATABASE, Engine


class Chdb(Engine):
    """ClickHouse in this process, with its data in `folder`. Raises Fatal if another process has it open."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), DATABASE)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._local = threading.local()
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        client = self._open(None)
        client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
        client.close()

    def close(self) -> None:
        """Close every thread's client; the folder is free afterwards."""
        with self._lock:
            while self._clients:
                self._clients.pop().close()
            self._local = threading.local()

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        try:
            with super()._lent() as client:
                yield client
        except BaseException:
            # What a statement had answered before it failed would stand in front of this client's next answer.
            self._discard()
            raise

    def _discard(self) -> None:
        if (client := getattr(self._local, "client", None)) is not None:
            del self._local.client
            with self._lock:
                if client in self._clients:
                    self._clients.remove(client)
            client.close()

    def _client(self) -> Any:
        if (client := getattr(self._local, "client", None)) is None:
            client = self._local.client = self._open(self.database)
            with self._lock:
                self._clients.append(client)
        return client

    def _open(self, database: str | None) -> Any:
        try:
            return clickhouse_connect.get_client(interface="chdb", path=str(self._folder), database=database, settings=self.SETTINGS)
        except ClickHouseError as error:
            raise Fatal(
                f"{self._folder} cannot be opened: {error}. Is another Watchkeeper running on this folder? Stop it, or use another --data."
            ) from error
