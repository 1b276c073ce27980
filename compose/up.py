"""A whole cluster on loopback without containers, for development: `python -m compose.up --data DIR`.

Kafka, ClickHouse and PostgreSQL from the cached files, then every process type of Watchkeeper, ingest twice. The terminal shows
all their lines, each with its process's name before it. Ctrl-C ends everything, and so does the end of any one of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import psycopg

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from compose.servers.postgres import Postgres
from compose.servers.server import Failed, Server
from watchkeeper import interrupt
from watchkeeper.free_port import free_port

# The port of each server and process, from a number on; the second ingest takes one that no process type has.
_SERVERS = {"kafka": 9092, "clickhouse": 8123, "postgres": 5432}
_PROCESSES = {"serve": 8650, "ingest-1": 8651, "evaluate": 8652, "deliver": 8653, "ingest-2": 8654}
# Not taken over from our environment: everything is on an open loopback.
_REPLACED = {"WATCHKEEPER_HOST", "WATCHKEEPER_TOKEN", "WATCHKEEPER_TOKEN_FILE", "WATCHKEEPER_CONTROL__PASSWORD"}
_ORDER = ("ingest-1", "ingest-2", "evaluate", "deliver", "serve")


class StartedProcess(Server):
    """One process of Watchkeeper; its name is the command, and a number where there are several."""

    patience = 120.0

    def __init__(self, name: str, folder: Path, port: int, environment: Mapping[str, str], output: IO[bytes]) -> None:
        self.name = name
        super().__init__(folder, port, output=output)
        self.environment = {**environment, "WATCHKEEPER_PORT": str(port)}

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "watchkeeper", self.name.partition("-")[0]]

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/health/ready", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _advice(self) -> str:
        return "its lines above say why"


class Terminal:
    """Lines of many processes on one standard output, each behind its name."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._coloured = sys.stdout.isatty()

    def channel(self, name: str) -> IO[bytes]:
        """Where `name` writes."""
        reading, writing = os.pipe()
        mark = f"{name:>10} | "
        if self._coloured:
            mark = f"\033[{31 + len(self._threads) % 6}m{mark}\033[0m"
        thread = threading.Thread(target=self._follow, args=(mark, reading), daemon=True)
        self._threads.append(thread)
        thread.start()
        return os.fdopen(writing, "wb")

    def say(self, text: str) -> None:
        """A line of our own."""
        print(f"{'':>10} | {text}", flush=True)

    @staticmethod
    def _follow(mark: str, reading: int) -> None:
        with os.fdopen(reading, "r", errors="replace") as lines:
            for line in lines:
                sys.stdout.write(mark + line.rstrip("\n") + "\n")
                sys.stdout.flush()


def run(data: Path, port: Callable[[str, int], int]) -> None:
    """Start everything, and stay until one ends (Failed) or somebody says stop (KeyboardInterrupt).

    `port` gives the port of each by its name and its usual port.
    """
    terminal = Terminal()
    with ExitStack() as running:

        def channel(name: str) -> IO[bytes]:
            return running.enter_context(terminal.channel(name))

        def server(name: str) -> tuple[Path, int]:
            return data / name, port(name, _SERVERS[name])

        kafka = Kafka(*server("kafka"), output=channel("kafka"))
        clickhouse = ClickHouse(*server("clickhouse"), output=channel("clickhouse"))
        postgres = Postgres(*server("postgres"), durable=True, output=channel("postgres"))
        started: list[Server] = [kafka, clickhouse, postgres]
        for one in started:
            terminal.say(f"starting {one.name} on port {one.port}")
            running.enter_context(one)
        _database(postgres)

        environment = _environment(data, kafka, clickhouse, postgres)
        _migrate(environment, channel("migrate"))
        ports = {name: port(name, usual) for name, usual in _PROCESSES.items()}
        environment.setdefault("WATCHKEEPER_ADDRESS", f"http://127.0.0.1:{ports['serve']}")  # for links that other processes make
        processes = [StartedProcess(name, data / "processes", ports[name], environment, channel(name)).start(wait=False) for name in _ORDER]
        running.callback(_stop, processes)
        for process in processes:
            process.wait()
        terminal.say(f"everything runs: http://127.0.0.1:{processes[-1].port}, pages at /ui/, brokers at {kafka.bootstrap}; Ctrl-C ends it")
        started += processes
        while all(one.running for one in started):
            time.sleep(0.2)
        terminal.say(", ".join(one.name for one in started if not one.running) + " ended; so does everything")
        raise Failed("a process ended by itself; its lines above say why")


def _environment(data: Path, kafka: Kafka, clickhouse: ClickHouse, postgres: Postgres) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name not in _REPLACED},
        "WATCHKEEPER_DATA": str(data / "processes"),
        "WATCHKEEPER_KAFKA__BOOTSTRAP": kafka.bootstrap,
        "WATCHKEEPER_CLICKHOUSE__URL": clickhouse.url,
        "WATCHKEEPER_CONTROL__URL": f"postgresql://{postgres.user}@127.0.0.1:{postgres.port}/watchkeeper",
        "WATCHKEEPER_CONTROL__PASSWORD_FILE": str(postgres.folder / "password"),
    }


def _stop(processes: Sequence[StartedProcess]) -> None:
    with ThreadPoolExecutor() as pool:  # all at once: none takes over what another lets go of
        list(pool.map(StartedProcess.stop, processes))


def _database(server: Postgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'watchkeeper'").fetchone() is None:
            connection.execute("CREATE DATABASE watchkeeper")


def _migrate(environment: Mapping[str, str], output: IO[bytes]) -> None:
    command = [sys.executable, "-m", "watchkeeper", "migrate"]
    if code := subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode:
        raise Failed(f"`watchkeeper migrate` ended with {code}; its lines above say why")


def main() -> int:
    """Read the command line and run; the exit code: 0 when told to stop, 1 when something failed."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder of everything that is kept")
    parser.add_argument("--any-port", action="store_true", help="take ports that are free now instead of the usual ones")
    given = parser.parse_args()
    interrupt.install_handlers()
    try:
        run(given.data.resolve(), (lambda _name, _usual: free_port()) if given.any_port else (lambda _name, usual: usual))
    except KeyboardInterrupt:
        return 0
    except (Absent, Failed) as error:
        print(f"make up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
