"""The two worlds in which acceptance tests run: one embedded process with its folder, and processes on Kafka, ClickHouse and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from storage.facts.chdb import Chdb
from storage.facts.http import Http
from tests.acceptance.process import Process, migrated

PARTITIONS = 6
# For worlds that prove what is computed, not how soon: while events come, a step follows the other, and each costs a second of CPU.
RARELY = {"WATCHKEEPER_EVALUATE__DEBOUNCE_MS": "3000"}
PROCESSES = ("ingest-1", "ingest-2", "evaluate", "deliver", "serve")
_COUNTS = """
SELECT
    (SELECT count() FROM predictions WHERE model = {model:String}) AS rows,
    (SELECT uniqExact(partition, position, place) FROM predictions WHERE model = {model:String}) AS places,
    (SELECT uniqExact(prediction_id) FROM predictions WHERE model = {model:String}) AS ids,
    (SELECT count() - uniqExact(partition, position, place) FROM labels WHERE model = {model:String}) AS labels_twice
"""


class World(Protocol):
    """A running Watchkeeper. It is ready when entered, and ends when left, also if the test fails."""

    url: str

    @property
    def names(self) -> Sequence[str]:
        """The processes that can be killed."""
        ...

    def kill(self, name: str) -> None:
        """SIGKILL a process and start it again; return when it is ready."""
        ...

    def restart(self, name: str) -> None:
        """Stop a process as an operator does, and start it again; return when it is ready."""
        ...

    def counts(self, model: str) -> dict[str, int]:
        """The raw events of a model: prediction rows, distinct places in the log, distinct ids, and labels that are there more than once.

        The embedded world ends for it: its store is of one process.
        """
        ...

    def __enter__(self) -> Self:
        """Start, and become ready."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        ...


class Embedded:
    """`watchkeeper up` in a folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._data = folder / "data"
        self._process = Process("up", ["up", "--data", str(self._data)], folder, environment)
        self.url = self._process.url
        self.names = ("up",)

    def kill(self, name: str) -> None:
        """SIGKILL the process and start it again; return when it is ready."""
        self._process.kill()
        self._process.start()

    def restart(self, name: str) -> None:
        """Stop the process, and start it again; return when it is ready."""
        self._process.stop()
        self._process.start()

    def counts(self, model: str) -> dict[str, int]:
        """The raw events of a model; the process is stopped for this."""
        self._process.stop()
        with closing(Chdb(self._data / "facts")) as engine:
            found: dict[str, int] = engine.query(_COUNTS, {"model": model}).to_pylist()[0]
            return found

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            error.add_note(f"it said:\n{self._process.said()}")
        self._process.stop()


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The addresses of the real servers, and the names of this world's topics and databases on them."""

    bootstrap: str
    clickhouse: str
    control: str
    prefix: str = ""
    database: str = "watchkeeper"
    user: str = "default"
    password: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The settings for these."""
        return {
            "WATCHKEEPER_KAFKA__BOOTSTRAP": self.bootstrap,
            "WATCHKEEPER_KAFKA__PREFIX": self.prefix,
            "WATCHKEEPER_KAFKA__PARTITIONS": str(PARTITIONS),
            "WATCHKEEPER_CLICKHOUSE__URL": self.clickhouse,
            "WATCHKEEPER_CLICKHOUSE__USER": self.user,
            "WATCHKEEPER_CLICKHOUSE__DATABASE": self.database,
            **({"WATCHKEEPER_CLICKHOUSE__PASSWORD": self.password} if self.password else {}),
            "WATCHKEEPER_CONTROL__URL": self.control,
        }


class Cluster:
    """The process types on real servers: two of ingest, one of each other."""

    def __init__(self, folder: Path, servers: Servers, environment: Mapping[str, str]) -> None:
        self.servers = servers
        self._folder = folder
        self._environment = {**servers.environment, **environment}
        self.processes = {name: self.process(name) for name in PROCESSES}
        self.url = self.processes["serve"].url
        self.names = PROCESSES

    def process(self, name: str) -> Process:
        """A process of the type with which its name begins, not started. Each ingest process is a static member of its group."""
        kind = name.partition("-")[0]
        own = {"WATCHKEEPER_KAFKA__INSTANCE": name} if kind == "ingest" else {}
        return Process(name, [kind], self._folder, {**self._environment, **own})

    def kill(self, name: str) -> None:
        """SIGKILL a process and start it again; return when it is ready."""
        self.processes[name].kill()
        self.processes[name].start()

    def restart(self, name: str) -> None:
        """Stop a process, and start it again; return when it is ready."""
        self.processes[name].stop()
        self.processes[name].start()

    def counts(self, model: str) -> dict[str, int]:
        """The raw events of a model."""
        found: dict[str, int] = self.ask(_COUNTS, {"model": model})[0]
        return found

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of an answer of the fact store."""
        servers = self.servers
        with closing(Http(servers.clickhouse, servers.user, servers.password, servers.database)) as engine:
            rows: list[dict[str, Any]] = engine.query(sql, parameters).to_pylist()
            return rows

    def __enter__(self) -> Self:
        try:
            migrated(self._environment)
            for process in self.processes.values():
                process.start(wait=False)
            for process in self.processes.values():
                process.wait()
        except BaseException:
            self._end(Process.kill)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.explain(error)
        self._end(Process.stop)

    def explain(self, error: BaseException) -> None:
        """Add to an error what the processes said last."""
        for process in self.processes.values():
            error.add_note(f"{process.name} said:\n{process.said()}")

    def _end(self, how: Any) -> None:
        with ThreadPoolExecutor(len(self.processes)) as pool:
            list(pool.map(how, self.processes.values()))
