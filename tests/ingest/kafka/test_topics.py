"""Topics are created with the settings that the guarantees need, and differences are reported."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from core.error import Fatal, Retryable
from ingest.kafka.connection import Connection
from ingest.kafka.topics import LARGEST, SETTINGS, create
from tests.services.fixture import KafkaAt
from watchkeeper.free_port import free_port


@pytest.fixture
def connection(kafka: KafkaAt, kafka_prefix: str) -> Connection:
    """A connection under a prefix of its own."""
    return Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix)


def settings(connection: Connection, name: str) -> dict[str, str]:
    """What the broker says of a topic."""
    resource = ConfigResource(ResourceType.TOPIC, connection.topic(name))
    admin = AdminClient(connection.admin())
    (answer,) = admin.describe_configs([resource]).values()
    return {key: entry.value for key, entry in answer.result().items()}


def test_missing_topics_are_created_and_creating_again_changes_nothing(connection: Connection) -> None:
    """All five under the prefix, with the brokers' time and room for large events."""
    made = create(connection, 3)
    assert (sorted(connection.topic(name) for name in SETTINGS), []) == (sorted(made.created), made.differ)
    assert create(connection, 3) == ([], [])
    predictions = settings(connection, "predictions")
    assert (predictions["message.timestamp.type"], predictions["cleanup.policy"]) == ("LogAppendTime", "delete")
    assert int(predictions["max.message.bytes"]) > LARGEST
    assert int(settings(connection, "ticks")["retention.ms"]) < int(predictions["retention.ms"])
    assert int(predictions["retention.ms"]) < int(settings(connection, "dead-letters")["retention.ms"])
    assert settings(connection, "trust")["cleanup.policy"] == "compact"
    admin = AdminClient(connection.admin())
    found = admin.list_topics(timeout=120).topics
    assert {3} == {len(found[connection.topic(name)].partitions) for name in SETTINGS}


def test_what_is_there_already_stays_and_what_differs_is_told(connection: Connection) -> None:
    """Fewer partitions, the producers' time, small messages: named with the topic, and not changed."""
    admin = AdminClient(connection.admin())
    admin.create_topics([NewTopic(connection.topic("labels"), 2, 1)])[connection.topic("labels")].result(300)
    made = create(connection, 3)
    assert len(made.created) == 4
    assert all(sentence.startswith(connection.topic("labels")) for sentence in made.differ)
    told = "\n".join(made.differ)
    for part in ("2 partitions", "message.timestamp.type=CreateTime", "1,048,588 bytes"):
        assert part in told
    assert made.differ == create(connection, 3).differ


def test_more_replicas_than_brokers_is_fatal_with_the_remedy(connection: Connection) -> None:
    """The brokers refuse, and the setting is named."""
    with pytest.raises(Fatal, match=r"kafka\.replication"):
        create(connection, 3, replication=3)


def test_brokers_that_are_away_are_worth_another_try() -> None:
    """Retryable, with the address."""
    away = Connection(bootstrap=f"127.0.0.1:{free_port()}", options={"socket.timeout.ms": 1_000})
    with pytest.raises(Retryable, match=away.bootstrap):
        create(away)
