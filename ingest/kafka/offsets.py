"""First and last offsets of partitions, and a group's committed offsets, asked for without being a member of the group."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the library leaves it out of __all__

from core.error import Retryable
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection

_ASK = 10.0  # seconds for the brokers to answer
_STARTING = {KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR}

FIRST, LAST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]


def partitions(known: Mapping[str, Any], topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of these topics, from the brokers' metadata `known`. Raises Retryable if a topic is not there."""
    if missing := [name for name in topics if name not in known]:
        raise Retryable(f"there is no topic {', '.join(missing)}; `watchkeeper migrate` makes them")
    if untold := [name for name in topics if known[name].error is not None or not known[name].partitions]:
        raise Retryable(f"the Kafka brokers do not describe {', '.join(untold)}: {known[untold[0]].error}")
    return [TopicPartition(name, part) for name in topics for part in known[name].partitions]


def offsets(admin: AdminClient, parts: Iterable[TopicPartition], which: OffsetSpec) -> dict[TopicPartition, Future[Any]]:
    """The first or the last offset of all these partitions, asked for at once. Each has a future, which raises KafkaException if its leader is away."""
    answers: dict[TopicPartition, Future[Any]] = admin.list_offsets(dict.fromkeys(parts, which), request_timeout=_ASK)
    wait(answers.values())  # here, where the client is held: without it they would never be done
    return answers


def group_offsets(connection: Connection, group: str, topics: Sequence[str]) -> list[TopicPartition]:
    """The group's offset in every partition of these topics, by their names on the brokers; below 0 where it has none.

    A coordinator that is starting is given some time. (An admin client could be asked, too; but then librdkafka 2.16 takes the whole process
    down.) Raises KafkaException.
    """
    client = opened(Consumer, connection.reader_settings(group))
    try:
        known = client.list_topics(timeout=_ASK).topics
        parts = [TopicPartition(name, part) for name in topics if name in known for part in known[name].partitions]
        until = time.monotonic() + _ASK
        while parts:
            try:
                return _sound(client.committed(parts, timeout=_ASK))
            except KafkaException as error:
                if error.args[0].code() not in _STARTING or time.monotonic() > until:
                    raise
                time.sleep(0.1)
        return []
    finally:
        client.close()


def _sound(committed: list[TopicPartition]) -> list[TopicPartition]:
    """The offsets; raises KafkaException if one could not be told: it would look as if there were none."""
    for partition in committed:
        if partition.error is not None:
            raise KafkaException(partition.error)
    return committed
