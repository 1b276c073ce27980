"""The engine within this process: chDB, which is ClickHouse as a library.

A data folder belongs to one process, and a process has one data folder; it must never fork. Each statement under way has a client of its own, so that a
slow query does not delay an insert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from core.error import Fatal
from storage.facts.engine import DATABASE, Engine
from storage.facts.fault import translated


class Chdb(Engine):
    """ClickHouse in this process, with its data in `folder`. Raises Fatal if another process has it open."""

    # A process asks thousands of different small questions. To compile their expressions costs it more than it gains.
    SETTINGS: ClassVar[dict[str, int]] = {
        **Engine.SETTINGS,
        **dict.fromkeys(("compile_expressions", "compile_aggregate_expressions", "compile_sort_description"), 0),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), DATABASE)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._idle: list[Any] = []  # clients that are open and not in use
        self._closed = False
        self._lock = threading.Lock()
        client = self._open(None)
        client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
        client.close()

    def close(self) -> None:
        """Close all clients, and those in use when they are given back; the folder is free afterwards."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        with translated(self.where):
            client = self._client()
            try:
                yield client
            except BaseException:
                # What a failed statement had answered already would come before this client's next answer.
                client.close()
                raise
            with self._lock:
                if not self._closed:
                    self._idle.append(client)
                    return
            client.close()

    def _client(self) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._open(self.database)

    def _open(self, database: str | None) -> Any:
        try:
            return clickhouse_connect.get_client(interface="chdb", path=str(self._folder), database=database, settings=self.SETTINGS)
        except ClickHouseError as error:
            raise Fatal(
                f"{self._folder} cannot be opened: {error}. Is another Watchkeeper running on this folder? Stop it, or use another --data."
            ) from error
