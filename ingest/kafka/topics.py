"""The topics: their settings, and how they are created."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from core.error import Fatal, Retryable
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import error_text

LARGEST = 8 << 20  # bytes of an event

_ASK = 10.0  # seconds
_DAY = 24 * 3600 * 1_000
_EVENTS: dict[str, str | int] = {
    "retention.ms": 7 * _DAY,
    "max.message.bytes": LARGEST + (128 << 10),
    "message.timestamp.type": "LogAppendTime",
}
_ALL = {"cleanup.policy": "delete", "compression.type": "producer"}

# Beside `_ALL`. The brokers' time is the log's time: ingest counts lateness and limits from it.
SETTINGS: dict[str, dict[str, str | int]] = {
    "predictions": _EVENTS,
    "labels": _EVENTS,
    "ticks": {  # uncompressed: the client that reads them has no codecs
        "retention.ms": _DAY // 24,
        "segment.ms": _DAY // 24,
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "uncompressed",
    },
    "trust": {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"},  # of each key the last record stays
    "dead-letters": {"retention.ms": 90 * _DAY, "max.message.bytes": 2 * LARGEST, "message.timestamp.type": "LogAppendTime"},
}

# A topic may differ in these settings; the difference is reported.
_TOLD = {"message.timestamp.type": "times are the producers', not the brokers'", "cleanup.policy": "records may go before they are read"}

_NO_RIGHT = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
_IMPOSSIBLE = {KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.INVALID_PARTITIONS, KafkaError.POLICY_VIOLATION, KafkaError.INVALID_CONFIG}


class Topics(NamedTuple):
    """The topics that `create` has created, and in sentences how others differ from what was asked."""

    created: list[str]
    differ: list[str]


def create(connection: Connection, partitions: int = 6, replication: int = 1) -> Topics:
    """Create the topics that are missing. Those that are there stay as they are, and differences are reported.

    Raises Retryable when the brokers are away, and Fatal with the remedy when they refuse.
    """
    admin = opened(AdminClient, connection.admin())
    names = {connection.topic(name): name for name in SETTINGS}
    try:
        there = admin.list_topics(timeout=_ASK).topics
        wanted = [
            NewTopic(topic, partitions, replication, config=_config(name, replication))
            for topic, name in names.items()
            if topic not in there
        ]
        answers = admin.create_topics(wanted, request_timeout=_ASK) if wanted else {}
        created = [topic for topic, done in answers.items() if _made(done)]
        found = _seen(admin, names)
        older = {topic: name for topic, name in names.items() if topic not in created}
        differ = []
        for topic in older:
            copies = min((len(part.replicas) for part in found[topic].partitions.values()), default=0)
            differ += _compared(topic, "partitions", len(found[topic].partitions), partitions)
            differ += _compared(topic, "replicas", copies, replication)
        return Topics(created, differ + _settings(admin, older))
    except (KafkaException, RuntimeError) as error:
        raise _refused(error, connection.bootstrap) from error


def missing(connection: Connection, names: Iterable[str] = SETTINGS) -> list[str]:
    """Which of these topics are not there, by their names on the brokers. Raises Retryable if the brokers are away."""
    admin = opened(AdminClient, connection.admin())
    try:
        there = admin.list_topics(timeout=_ASK).topics
    except (KafkaException, RuntimeError) as error:
        raise _refused(error, connection.bootstrap) from error
    return [topic for topic in map(connection.topic, names) if topic not in there]


def count(connection: Connection, name: str) -> int:
    """How many partitions one of the topics has. Raises Retryable if the brokers do not answer."""
    topic = connection.topic(name)
    try:
        found = opened(AdminClient, connection.admin()).list_topics(topic, timeout=_ASK).topics[topic]
    except (KafkaException, RuntimeError) as error:
        raise _refused(error, connection.bootstrap) from error
    if not found.partitions:
        raise Retryable(f"the Kafka brokers do not describe {topic}: {found.error}")
    return len(found.partitions)


def _config(name: str, replication: int) -> dict[str, str]:
    settings = {**_ALL, **SETTINGS[name], "min.insync.replicas": max(1, replication - 1)}
    return {key: str(value) for key, value in settings.items()}


def _made(done: object) -> bool:
    """Whether we have created the topic; another process may have been quicker."""
    try:
        done.result()  # type: ignore[attr-defined]
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return False
    return True


def _seen(admin: AdminClient, names: Mapping[str, str]) -> dict[str, Any]:
    """The topics, once all brokers know them."""
    until = time.monotonic() + _ASK
    while missing := names.keys() - (found := admin.list_topics(timeout=_ASK).topics).keys():
        if time.monotonic() > until:
            raise Retryable(f"the Kafka brokers do not know {', '.join(sorted(missing))} yet, which was created", after=5.0)
        time.sleep(0.05)
    return found


def _compared(topic: str, what: str, found: int, asked: int) -> list[str]:
    return [] if found == asked else [f"{topic} has {found} {what}, and the settings say {asked}"]


def _settings(admin: AdminClient, topics: dict[str, str]) -> list[str]:
    """How the settings of topics that were there before differ."""
    if not topics:
        return []
    differ = []
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic) for topic in topics], request_timeout=_ASK)
    for resource, answer in asked.items():
        found = answer.result()
        expected = {**_ALL, **SETTINGS[topics[resource.name]]}
        for name, why in _TOLD.items():
            if name in found and found[name].value != expected[name]:
                differ.append(f"{resource.name} has {name}={found[name].value}, {expected[name]} is expected: {why}")
        if "max.message.bytes" in found and int(found["max.message.bytes"].value) < int(expected.get("max.message.bytes", 0)):
            differ.append(
                f"{resource.name} takes messages up to {int(found['max.message.bytes'].value):,} bytes only: larger events are refused"
            )
    return differ


def _refused(error: BaseException, bootstrap: str) -> Retryable | Fatal:
    code = error.args[0].code() if error.args and isinstance(error.args[0], KafkaError) else None
    if code in _NO_RIGHT:
        return Fatal(
            f"the Kafka user may not create or describe topics: {error_text(error)}; grant it Create, Describe and DescribeConfigs, or create them"
        )
    if code in _IMPOSSIBLE:
        return Fatal(
            f"the Kafka brokers refuse the topics: {error_text(error)}; set kafka.partitions and kafka.replication to what they allow"
        )
    return Retryable(f"the Kafka brokers at {bootstrap} do not answer: {error_text(error)}", after=5.0)
