"""A ClickHouse server that is away, refuses an account, or is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyarrow as pa
import pytest
from urllib3 import Timeout

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from core.error import ConfigError, Fatal, Retryable
from storage.facts.fault import translated
from storage.facts.http import Http
from storage.facts.migration import migrate
from tests.services.fixture import ClickHouseAt, absent

KEPT = "CREATE TABLE kept (x Int64) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ClickHouse]:
    """A server of this test alone, that can be killed."""
    server = ClickHouse(tmp_path)
    try:
        server.start()
    except Absent as error:
        absent(str(error))
    yield server
    server.stop()


@contextmanager
def stranger() -> Iterator[str]:
    """The address of something else that speaks HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("url", ["127.0.0.1:8123", "clickhouse://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """With the remedy, before anything is sent."""
    with pytest.raises(ConfigError, match="http://HOST:8123"):
        Http(url)


def test_a_server_that_is_away_may_come() -> None:
    """Nobody listens: Retryable, with the cause and where it was looked for."""
    with pytest.raises(Retryable, match=r"ClickHouse at http://127.0.0.1:1 does not answer: .*refused"):
        Http("http://127.0.0.1:1")


def test_another_kind_of_server_is_refused() -> None:
    """Whoever listens there is not ClickHouse: Fatal, with the remedy."""
    with stranger() as url, pytest.raises(Fatal, match=r"not answer like ClickHouse.*clickhouse.url"):
        Http(url)


def test_an_answer_that_breaks_off_may_be_asked_for_again() -> None:
    """A server whose disk is full begins to answer and has nothing to say: Retryable, and nothing of the driver's."""
    with pytest.raises(Retryable, match="ClickHouse did not finish its answer"), translated("ClickHouse"):
        pa.ipc.open_file(pa.BufferReader(b""))


def test_a_wrong_account_is_refused(clickhouse: ClickHouseAt) -> None:
    """Fatal, with the code's name and the remedy; the password is not translated."""
    with pytest.raises(Fatal, match=r"AUTHENTICATION_FAILED \(516\).*clickhouse.user") as refused:
        Http(clickhouse.url, "nobody", "swordfish")
    assert "swordfish" not in str(refused.value)


def test_a_database_is_made_and_found_again(clickhouse: ClickHouseAt, clickhouse_database: str) -> None:
    """Two databases on one server know nothing of each other."""
    name = f"{clickhouse_database}-other"
    first = Http(clickhouse.url, clickhouse.user, clickhouse.password, clickhouse_database)
    second = Http(clickhouse.url, clickhouse.user, clickhouse.password, name)
    migrate(second)
    tables = "SELECT count() AS n FROM system.tables WHERE database = currentDatabase()"
    assert first.query(tables).to_pylist() == [{"n": 0}]
    assert Http(clickhouse.url, clickhouse.user, clickhouse.password, name).query(tables) == second.query(tables)
    first.command(f"DROP DATABASE `{name}`")


def test_a_cluster_asks_for_a_quorum(clickhouse: ClickHouseAt, clickhouse_database: str) -> None:
    """Inserts wait for a majority and questions see them; a cluster that the server does not know is refused with the remedy."""
    engine = Http(clickhouse.url, clickhouse.user, clickhouse.password, clickhouse_database, cluster="nowhere")
    names = ("insert_quorum", "insert_quorum_parallel", "select_sequential_consistency")
    held = engine.query(f"SELECT {', '.join(f'toString(getSetting({name!r})) AS {name}' for name in names)}").to_pylist()
    assert held == [{"insert_quorum": "auto", "insert_quorum_parallel": "false", "select_sequential_consistency": "1"}]
    with pytest.raises(Fatal, match=r"system\.clusters"):
        migrate(engine)


def test_an_insert_whose_outcome_nobody_knows_may_be_sent_again(mortal: ClickHouse) -> None:
    """The server halts in the middle: Retryable within the time that was set; under its token the rows are there once."""
    engine = Http(mortal.url)
    engine.define(KEPT)
    engine._connected.timeout = Timeout(1)
    table = pa.table({"x": pa.array(range(100_000), pa.int64())})
    os.kill(mortal.pid, signal.SIGSTOP)
    with pytest.raises(Retryable, match=r"does not answer: .*timed out"):
        engine.insert("kept", table, "token")
    os.kill(mortal.pid, signal.SIGCONT)
    engine._connected.timeout = Timeout(60)
    engine.insert("kept", table, "token")
    assert engine.query("SELECT count() AS n FROM kept").to_pylist() == [{"n": 100_000}]


@pytest.mark.slow
def test_a_killed_server_keeps_what_it_acknowledged(mortal: ClickHouse) -> None:
    """Writers send each batch under its token until it is acknowledged, the server is killed ten times: every batch is there, none twice."""
    engine = Http(mortal.url)
    engine.define(KEPT)
    stop, acknowledged, faults = threading.Event(), list[int](), list[str]()

    def write(worker: int) -> None:
        batch = 0
        while not stop.is_set():
            first = 1_000_000 * worker + 10 * batch
            table = pa.table({"x": pa.array(range(first, first + 10), pa.int64())})
            for attempt in range(1_000):
                try:
                    # A token alone would not do: the server notes it before the rows are in place.
                    held = engine.query("SELECT x FROM kept WHERE x BETWEEN {a:Int64} AND {b:Int64}", {"a": first, "b": first + 9})
                    if attempt == 0 or not held.num_rows:
                        engine.insert("kept", table, f"{first}:{attempt}")
                    acknowledged.extend(table["x"].to_pylist())
                    break
                except Retryable:
                    time.sleep(0.05)
                except Exception as error:  # a thread's edge: translated below
                    faults.append(f"{type(error).__name__}: {error}")
                    return
            batch += 1

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for kill in range(10):
        enough, until = len(acknowledged) + 100, time.monotonic() + 300
        while len(acknowledged) < enough and not faults and time.monotonic() < until:
            time.sleep(0.01 + 0.02 * (kill % 5))
        mortal.kill()
        mortal.start()
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    rows = engine.query("SELECT x FROM kept")["x"].to_pylist()
    assert len(acknowledged) >= 1_000
    assert sorted(rows) == sorted(acknowledged)
