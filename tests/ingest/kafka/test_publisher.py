"""What is published, on a real broker: the accepted rows under their ids, acknowledged, or an error that says what to do."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import KafkaError, Message

from compose.servers.fetch import Absent
from compose.servers.kafka import Kafka
from core.block import Predictions
from core.contract import Contract
from core.error import Retryable
from ingest.dead_letter import DeadLetter
from ingest.decode.label import decode_labels
from ingest.decode.payload import Kind, PayloadError
from ingest.decode.prediction import decode_predictions
from ingest.decoding import Decode
from ingest.kafka.connection import Connection
from ingest.kafka.message import Outgoing
from ingest.kafka.producer import Publisher
from ingest.kafka.topics import LARGEST, create
from ingest.record import Batch, Events, LogRecord, Topic
from tests.ingest.decode.events import CONTRACTS, NOW, array, event, lines
from tests.ingest.decode.test_law import values
from tests.ingest.kafka.reading import everything
from tests.services.fixture import KafkaAt, absent

PARTITIONS = 6


@pytest.fixture
def connection(kafka: KafkaAt, kafka_prefix: str) -> Connection:
    """A connection to topics that no other test has."""
    connection = Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix)
    create(connection, PARTITIONS)
    return connection


@pytest.fixture
def publisher(connection: Connection) -> Iterator[Publisher]:
    """A publisher on those topics."""
    publisher = Publisher(connection)
    yield publisher
    publisher.close()


def post(publisher: Publisher, body: bytes, kind: Kind = "json", topic: Topic = "predictions") -> Any:
    """Append a body as the API does; what was decoded."""
    decode: Any = decode_predictions if topic == "predictions" else decode_labels
    decoded = decode(body, kind, CONTRACTS.get, NOW)
    publisher.append(topic, body, kind, decoded, NOW).result(300)
    return decoded


def sent(connection: Connection, topic: str = "predictions") -> list[Message]:
    """What a topic of ours holds."""
    return everything(connection.bootstrap, connection.topic(topic))


def events(messages: list[Message], topic: Topic = "predictions") -> Events:
    """Messages as ingest decodes them; positions count through all partitions."""
    records = [LogRecord(i, NOW, "json", message.value() or b"") for i, message in enumerate(messages)]
    return Decode(CONTRACTS.get)(Batch(topic, 0, 0, len(records) - 1, records))


def test_each_accepted_row_is_a_message_under_its_id(connection: Connection, publisher: Publisher) -> None:
    """The value is the row's own bytes; what was rejected is not sent."""
    rows = [json.dumps(event(prediction_id=str(i), ts=None if i % 3 == 0 else "2022-07-01T00:00:00Z")).encode() for i in range(30)]
    post(publisher, b"[" + b" , ".join(rows) + b"]")
    post(publisher, b"\n\n".join(rows).replace(b'"prediction_id": "', b'"prediction_id": "n'), "ndjson")
    found = {message.key(): message.value() for message in sent(connection)}
    expected = {str(i).encode(): rows[i] for i in range(30) if i % 3}
    named = {b"n" + key: value.replace(b'"prediction_id": "', b'"prediction_id": "n') for key, value in expected.items()}
    assert expected | named == found


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_body_that_only_the_tolerant_reader_takes_arrives_the_same(connection: Connection, publisher: Publisher, kind: Kind) -> None:
    """NaN, infinity, endless numbers, half characters and byte order marks: ingest reads from the messages what the API read from the body."""
    odd = [
        event(prediction_id="é", score=float("nan")),
        event(prediction_id="b", features={"age": float("-inf"), "city": "\ud800", 'q"': 1}),
        event(prediction_id="c", model="r", prediction=10**300, features={"age": 10**320, "fare per km": 0.1}),
        event(prediction_id="d", model="o", features={'a"b\\': 1e308}, tags={"group": "ü"}),
        event(prediction_id="e", model="m", prediction="o,x", probabilities={"o,x": 0.1 + 0.2}),
    ]
    body = b"\xef\xbb\xbf" + (array(*odd) if kind == "json" else lines(*odd))
    decoded = post(publisher, body, kind)
    taken = events(sent(connection))
    assert list(taken.rejects) == []
    assert rows(decoded.blocks.values()) == rows(taken.predictions)
    assert len(rows(taken.predictions)) == len(odd)


def rows(blocks: Iterable[tuple[Contract, Predictions]]) -> dict[str, Any]:
    """What is known of each id, but its place in the log."""
    elsewhere = {"position", "row", "logged"}
    names = [field.name for field in dataclasses.fields(Predictions) if field.name not in elsewhere]
    return {
        str(block.id[i]): (contract.model, [values(getattr(block.take(np.array([i])), name)) for name in names])
        for contract, block in blocks
        for i in range(len(block))
    }


def test_a_single_event_is_sent_as_it_was_read(connection: Connection, publisher: Publisher) -> None:
    """One object, pretty-printed, is one message."""
    decoded = post(publisher, json.dumps(event(), indent=2).encode())
    assert decoded.accepted == 1
    assert [event()] == [json.loads(message.value() or b"") for message in sent(connection)]


def test_an_id_lands_where_java_clients_put_it(connection: Connection, publisher: Publisher) -> None:
    """The partition is murmur2 of the key, as aiokafka computes it for Faust; labels and predictions of an id have the same one."""
    ids = [f"id-{i}" for i in range(200)] + ["é" * 128, "日本", "a"]
    post(publisher, array(*(event(prediction_id=key) for key in ids)))
    post(publisher, array(*({"prediction_id": key, "model": "b", "label": 1} for key in ids)), topic="labels")
    expected = {key.encode(): (murmur2(key.encode()) & 0x7FFF_FFFF) % PARTITIONS for key in ids}
    assert expected == {message.key(): message.partition() for message in sent(connection)}
    assert expected == {message.key(): message.partition() for message in sent(connection, "labels")}


def test_rows_of_an_id_keep_their_order(connection: Connection, publisher: Publisher) -> None:
    """Also between models and requests."""
    for first in range(0, 60, 20):
        models = ("b", "r", "b", "m")
        post(publisher, array(*(event(model=models[i % 4], features={"age": i}, prediction=1) for i in range(first, first + 20))))
    assert list(range(60)) == [json.loads(message.value() or b"")["features"]["age"] for message in sent(connection)]


def test_the_brokers_stamp_the_time(connection: Connection, publisher: Publisher) -> None:
    """A message's time is that of its append, whatever the producer says."""
    before = time.time() * 1_000
    post(publisher, array(event()))
    ((kind, at),) = [message.timestamp() for message in sent(connection)]
    assert kind == 2  # log append time
    assert before - 1_000 <= at <= time.time() * 1_000 + 1_000


def test_a_large_event_passes_and_a_larger_one_is_refused(connection: Connection, publisher: Publisher) -> None:
    """Beyond what a message may hold nothing is sent, and the row is named."""
    post(publisher, array(event(caller="x" * (LARGEST - 1_000))))
    body = array(event(), event(caller="x" * LARGEST))
    with pytest.raises(PayloadError, match="row 1 is larger than the 8 MiB") as caught:
        publisher.append("predictions", body, "json", decode_predictions(body, "json", CONTRACTS.get, NOW), NOW)
    assert caught.value.status == 413
    assert len(sent(connection)) == 1


def test_too_much_at_once_is_refused_at_once(connection: Connection) -> None:
    """While bytes wait, more than the bound is Retryable; when they are acknowledged, there is room again."""
    publisher = Publisher(connection, most=10_000)
    waiting = publisher.send("labels", [Outgoing(0, b"k", b"x" * 9_000)])
    with pytest.raises(Retryable, match="cannot keep up"):
        publisher.send("labels", [Outgoing(0, b"k", b"x" * 2_000)])
    waiting.result(300)
    publisher.send("labels", [Outgoing(0, b"k", b"x" * 20_000)]).result(300)  # alone, anything is taken
    publisher.close()
    assert [len(message.value() or b"") for message in sent(connection, "labels")] == [9_000, 20_000]


def test_nothing_to_send_is_done_at_once(publisher: Publisher) -> None:
    """No messages, no wait."""
    assert publisher.send("labels", []).done()


def test_ticks_go_to_the_partition_of_their_model(connection: Connection, publisher: Publisher) -> None:
    """The key is the model, the partitioner murmur2, and the call does not wait."""
    for model in ("b", "modèle", "r"):
        publisher.tick(model, b"{}")
    publisher.close()
    found = {message.key(): message.partition() for message in sent(connection, "ticks")}
    assert {name.encode(): (murmur2(name.encode()) & 0x7FFF_FFFF) % PARTITIONS for name in ("b", "modèle", "r")} == found


def headers(message: Message) -> dict[str, str]:
    """A message's headers as texts."""
    return {name: bytes(value).decode() for name, value in cast("list[tuple[str, bytes]]", message.headers())}


def letter(body: bytes, **changes: Any) -> DeadLetter:
    """A dead letter."""
    given: dict[str, Any] = {
        "topic": "labels",
        "partition": 2,
        "position": 17,
        "row": 0,
        "model": "b",
        "field": "label",
        "reason": "is null: é",
        "logged": NOW,
    }
    return msgspec.convert({**given, **changes, "body": body}, DeadLetter)


def test_a_dead_letter_says_where_it_comes_from_and_why(connection: Connection, publisher: Publisher) -> None:
    """The value is the original, the key its position and row, and the headers hold the rest."""
    publisher.dead_letters([letter(b"\xff{"), letter(b"", position=18)])
    first, second = sorted(sent(connection, "dead-letters"), key=lambda message: message.key() or b"")
    assert (first.key(), first.value(), second.key(), second.value()) == (b"labels/2/17/0", b"\xff{", b"labels/2/18/0", b"")
    told = {"reason": "is null: é", "field": "label", "model": "b", "topic": "labels", "partition": "2", "offset": "17", "row": "0"}
    assert told | {"logged": str(NOW)} == headers(first)


def test_a_dead_letter_that_is_too_large_goes_without_its_value(connection: Connection, publisher: Publisher) -> None:
    """It must not stop the stream; a header says what was left out."""
    publisher.dead_letters([letter(b"x" * (3 * LARGEST)), letter(b"y", position=18)])
    found = {message.key(): message for message in sent(connection, "dead-letters")}
    large = found[b"labels/2/17/0"]
    assert large.value() is None
    assert f"{3 * LARGEST} bytes" == headers(large)["omitted"]
    assert found[b"labels/2/18/0"].value() == b"y"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kafka]:
    """A broker that may be stopped."""
    server = Kafka(tmp_path)
    try:
        server.start()
    except Absent as error:
        absent(str(error))
    yield server
    server.stop()


@pytest.mark.slow
def test_a_broker_that_stops_in_the_middle_loses_nothing_that_was_acknowledged(own: Kafka) -> None:
    """If a broker is killed under load, unacknowledged events are Retryable; after they are sent again everything is there."""
    connection = Connection(bootstrap=own.bootstrap, options={"message.timeout.ms": 2_000})
    create(connection, 3)
    publisher = Publisher(connection)
    for i in range(20):
        publisher.send("labels", [Outgoing(0, str(i).encode(), b"x" * 500)]).result(300)
    own.kill()
    waiting = [(i, publisher.send("labels", [Outgoing(0, str(i).encode(), b"x" * 500)])) for i in range(20, 40)]
    failed = []
    for i, future in waiting:
        with pytest.raises(Retryable, match="Sending again is safe"):
            future.result(300)
        failed.append(i)
    problem = publisher.problem
    assert own.bootstrap in str(problem)
    with pytest.raises(Retryable):
        publisher.dead_letters([letter(b"x")])
    own.start()
    for i in failed:
        _sent_at_last(publisher, Outgoing(0, str(i).encode(), b"x" * 500))
    assert publisher.problem is None
    publisher.close()
    assert {str(i).encode() for i in range(40)} == {message.key() for message in everything(own.bootstrap, "labels")}


def _sent_at_last(publisher: Publisher, event: Outgoing) -> None:
    """Send it until the broker has it: one that has just started may need longer for the leaders of its partitions than the two seconds that a message is given."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        with contextlib.suppress(Retryable):
            publisher.send("labels", [event]).result(300)
            return
    pytest.fail("the broker did not take the event in five minutes")


def test_a_producer_that_cannot_go_on_is_replaced(connection: Connection, publisher: Publisher) -> None:
    """After a fatal error of the client the next appends succeed."""
    post(publisher, array(event(prediction_id="a")))
    publisher._on_error(KafkaError(KafkaError._FATAL, "made up", True))
    until = time.monotonic() + 300
    while publisher._done_with and time.monotonic() < until:
        time.sleep(0.01)
    post(publisher, array(event(prediction_id="b")))
    assert {b"a", b"b"} == {message.key() for message in sent(connection)}
