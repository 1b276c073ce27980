"""The launchers of real servers: each server starts, keeps its data through `kill -9`, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from compose.servers.clickhouse import ClickHouse
from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from compose.servers.postgres import Postgres
from compose.servers.server import Failed, Server, listening
from tests.house.tree import ROOT
from tests.services.fixture import ClickHouseAt, KafkaAt, PostgresAt, absent
from tests.started import started


def start(server: Server) -> None:
    """Start it; without its files there is nothing to prove."""
    try:
        server.start()
    except Absent as error:
        absent(str(error))


def gone(pid: int, seconds: float = 300) -> bool:
    """Whether this process ends in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def kill_and_stop(server: Server) -> None:
    """Kill it, start it again in its place, and see that it went and came."""
    before, port = server.pid, server.port
    server.kill()
    assert gone(before)
    assert not listening(port)
    server.start()
    assert server.pid != before
    assert listening(port)


def test_kafka_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """A message is there after kill -9, under the same address."""
    server = Kafka(tmp_path, options={"log.retention.ms": "-1"})
    start(server)
    with server:
        admin = AdminClient({"bootstrap.servers": server.bootstrap})
        admin.create_topics([NewTopic("t", 1, 1)])["t"].result(300)
        producer = Producer({"bootstrap.servers": server.bootstrap, "acks": "all"})
        producer.produce("t", b"one")
        assert producer.flush(300) == 0
        kill_and_stop(server)
        consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "g"})
        consumer.assign([TopicPartition("t", 0, 0)])
        (message,) = consumer.consume(1, 300)
        consumer.close()
        assert message.value() == b"one"
        pid = server.pid
    assert gone(pid)


def test_clickhouse_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """A row is there after kill -9, under the same address."""
    server = ClickHouse(tmp_path)
    start(server)
    with server, httpx.Client(base_url=server.url, auth=(server.user, server.password)) as client:
        for sql in (
            "CREATE DATABASE d ENGINE = Atomic",
            "CREATE TABLE d.t (x Int8) ENGINE = MergeTree ORDER BY x",
            "INSERT INTO d.t VALUES (7)",
        ):
            client.post("/", content=sql).raise_for_status()
        kill_and_stop(server)
        assert client.post("/", content="SELECT x FROM d.t").text == "7\n"
        pid = server.pid
    assert gone(pid)


def test_postgres_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """A row is there after kill -9, under the same address and password."""
    server = Postgres(tmp_path)
    start(server)
    with server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS x")
        kill_and_stop(server)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT x FROM t").fetchone() == (7,)
        pid = server.pid
    assert gone(pid)


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """However that dies, and whatever thread started the server."""
    program = f"""
import threading, time
from pathlib import Path
from compose.servers.postgres import Postgres
server = Postgres(Path({str(tmp_path)!r}))
thread = threading.Thread(target=server.start)
thread.start(), thread.join()
time.sleep(0.2)
print(server.pid, flush=True)
time.sleep(600)
"""
    with started([sys.executable, "-c", program], cwd=ROOT, output=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    if not line:
        absent("PostgreSQL did not start")
    assert gone(int(line))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A port that is taken is named; what the server itself says is shown."""
    server = Postgres(tmp_path)
    start(server)
    with server, pytest.raises(Failed, match=f"port {server.port} is taken"):
        Postgres(tmp_path, server.port).start()
    (tmp_path / "data" / "postgresql.conf").write_text("nonsense = 1\n", encoding="utf-8")
    with pytest.raises(Failed, match='unrecognized configuration parameter "nonsense"'):
        server.start()


def test_clickhouse_outlives_a_query_that_is_refused(tmp_path: Path) -> None:
    """What keeps it alive is a query, which may be refused as any other, as when memory is short."""
    server = ClickHouse(tmp_path)
    start(server)
    with server:
        for _ in range(3):
            killed = httpx.post(server.url, content="KILL QUERY WHERE query LIKE 'SELECT sleepEachRow%' SYNC FORMAT TSV", timeout=120)
            assert killed.text.startswith("finished\t")
            assert httpx.post(server.url, content="SELECT 1", timeout=120).text == "1\n"


def test_the_session_has_each_server(kafka: KafkaAt, clickhouse: ClickHouseAt, postgres: PostgresAt) -> None:
    """They answer at the addresses that the fixtures give."""
    assert AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=120).brokers
    assert httpx.get(f"{clickhouse.url}/ping").text == "Ok.\n"
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_each_test_has_a_corner_of_its_own(
    kafka_prefix: str, clickhouse_database: str, clickhouse: ClickHouseAt, postgres_url: str
) -> None:
    """A prefix, and two databases that are there and empty."""
    assert kafka_prefix
    tables = f"SELECT count() FROM system.tables WHERE database = '{clickhouse_database}'"
    assert httpx.post(clickhouse.url, content=tables, auth=(clickhouse.user, clickhouse.password)).text == "0\n"
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
