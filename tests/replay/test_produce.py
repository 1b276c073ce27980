"""A recording that is sent directly to Kafka gives the messages that the API would send."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from aiokafka.partitioner import murmur2

from core.clock import SystemClock
from core.contract import Column, Contract, Kind, Task
from core.error import ConfigError
from ingest.kafka.connection import Connection
from ingest.kafka.topics import create
from tests.client.stand import Answer, Server
from tests.ingest.kafka.reading import everything
from tests.services.fixture import KafkaAt
from watchkeeper import document
from watchkeeper.cli.app import main
from watchkeeper.replay.produce import Brokers
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import send

CONTRACT = Contract(model="m", version=1, task=Task.BINARY, features=(Column(name="km", kind=Kind.NUMERIC),), classes=("0", "1"))
ROWS, PARTITIONS = 6_000, 3


@pytest.fixture
def connection(kafka: KafkaAt, kafka_prefix: str) -> Connection:
    """Topics of our own."""
    connection = Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix)
    create(connection, PARTITIONS)
    return connection


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Rows in time order, one of them without a class."""
    ts = pd.date_range("2022-07-01", periods=ROWS, freq="min", tz="UTC")
    columns = {"prediction_id": [f"p{row}" for row in range(ROWS)], "ts": ts, "km": [float(row) for row in range(ROWS)]}
    classes = [None if row == 17 else "1" for row in range(ROWS)]
    pd.DataFrame({**columns, "prediction": classes, "label": ["1"] * ROWS}).to_parquet(tmp_path / "file.parquet")
    return Recording(tmp_path / "file.parquet", CONTRACT)


def test_a_recording_lands_whole_in_order_and_under_its_ids(connection: Connection, recording: Recording) -> None:
    """Each accepted row once, keyed by its id with Java's partitioner, in time order in each partition; rejects are counted and not sent."""
    told: list[int] = []
    with Brokers(connection, CONTRACT, SystemClock()) as brokers:
        receipt = send(brokers, recording, advance=told.append)
    assert (receipt.predictions.accepted, receipt.labels.accepted, receipt.rejected) == (ROWS - 1, ROWS, 1)
    assert [(fault["row"], fault["field"]) for fault in receipt.predictions.errors] == [(17, "prediction")]
    assert sum(told) == 2 * ROWS
    for topic, rows in (("predictions", ROWS - 1), ("labels", ROWS)):
        messages = everything(connection.bootstrap, connection.topic(topic))
        assert rows == len({message.key() for message in messages}) == len(messages)
        by_partition: dict[int | None, list[int]] = {}
        for message in messages:
            event = json.loads(message.value() or b"")
            key = event["prediction_id"].encode()
            assert (key, (murmur2(key) & 0x7FFF_FFFF) % PARTITIONS) == (message.key(), message.partition())
            by_partition.setdefault(message.partition(), []).append(event["ts"])
        assert all(times == sorted(times) for times in by_partition.values())


def test_topics_that_are_not_there_are_told_before_anything_is_sent(kafka: KafkaAt, kafka_prefix: str) -> None:
    """With the command that makes them."""
    with pytest.raises(ConfigError, match=f"no topic {kafka_prefix}predictions, {kafka_prefix}labels .*watchkeeper migrate"):
        Brokers(Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix), CONTRACT, SystemClock())


def test_the_command_takes_the_contract_from_the_server_and_sends_to_kafka(
    server: Server,
    connection: Connection,
    recording: Recording,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The address by `--bootstrap`, the prefix by the environment; the report is that of HTTP, and `--wait` asks the server."""
    monkeypatch.setenv("WATCHKEEPER_KAFKA__PREFIX", connection.prefix)
    server.reply = lambda request: Answer(body={"quiet": True} if request.path == "/v1/status" else document.written(CONTRACT))
    arguments = ["replay", str(tmp_path / "file.parquet"), "--model", "m", "--url", server.url, "--to", "kafka"]
    assert main([*arguments, "--bootstrap", connection.bootstrap, "--wait"]) == 0
    assert f"m: {ROWS - 1:,} predictions and {ROWS:,} labels accepted, 1 rejected" in capsys.readouterr().out
    assert recording.events - 1 == sum(
        len(everything(connection.bootstrap, connection.topic(topic))) for topic in ("predictions", "labels")
    )
    assert [request.path for request in server.requests] == ["/v1/models/m/contract", "/v1/status"]
