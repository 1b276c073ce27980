"""The base of both engines of the fact store: ClickHouse's statements, tokens and errors, through clickhouse-connect."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import uuid4

import pyarrow as pa

from storage.facts.bound import bound
from storage.facts.fault import Overtaken, translated
from storage.facts.replicated import replicated

DATABASE = "watchkeeper"


class Engine(ABC):
    """Runs statements; safe to share between threads. Raises Retryable or Fatal in place of the driver's errors.

    `where` names the engine in messages, `database` holds the tables, `cluster` is the name of the cluster that they are replicated on, None
    for a single server.
    """

    # Settings of every statement. A token must identify the same rows in every table that an insert reaches. An insert must be done when it returns. Its
    # rows are distinct already, so merging them before they are written would only cost time. Texts of low cardinality come as dictionaries. A statement may
    # hold long lists, and name a thousand columns at their places in many versions of a contract.
    SETTINGS: ClassVar[dict[str, int]] = {
        "async_insert": 0,
        "max_ast_elements": 1 << 22,
        "max_partitions_per_insert_block": 0,
        "max_query_size": 1 << 30,
        "optimize_on_insert": 0,
        "output_format_arrow_low_cardinality_as_dictionary": 1,
        "output_format_arrow_string_as_string": 1,
    }
    TURN: ClassVar[float] = 10.0  # seconds that an insert waits for other inserts into the same table

    def __init__(self, where: str, database: str, cluster: str | None = None) -> None:
        self.where = where
        self.database = database
        self.cluster = cluster

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        """Insert rows, once: a second insert under the same `token` changes nothing. Without a token they are always inserted.

        After Retryable the rows may or may not have been inserted.
        """
        if rows.num_rows:
            # `insert_deduplicate = 0` would not do: without a token the content serves as one.
            settings = {"insert_deduplication_token": token or uuid4().hex}
            self._written(lambda client: client.insert_arrow(table, rows, database=self.database, settings=settings))

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a query; texts of low cardinality come as dictionaries. Tables are named without their database."""
        with self._lent() as client:
            return client.query_arrow(*bound(sql, parameters or {}))

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> str:
        """Run a statement that answers nothing or a single value, which is returned as a text."""
        statement = bound(sql, parameters or {})
        return str(self._written(lambda client: client.command(*statement)))

    def define(self, sql: str) -> None:
        """Run a statement that makes, changes or drops a table or view: on every replica, if there is a cluster."""
        self.command(replicated(sql, self.cluster) if self.cluster else sql)

    def ping(self) -> None:
        """Raise if the engine does not answer."""
        self.query("SELECT 1")

    @abstractmethod
    def close(self) -> None:
        """Close the engine."""

    @abstractmethod
    def _client(self) -> Any:
        """A client that this thread may use now."""

    def _written(self, write: Callable[[Any], object]) -> object:
        """The answer of `write` with a client. Inserts into a replicated table wait for one another."""
        until, pause = time.monotonic() + self.TURN, 0.02
        while True:
            try:
                with self._lent() as client:
                    return write(client)
            except Overtaken:
                if time.monotonic() >= until:
                    raise
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - keeps writers apart
            pause = min(2 * pause, 0.5)

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        """The client for one statement, whose errors are translated to ours."""
        with translated(self.where):
            yield self._client()
