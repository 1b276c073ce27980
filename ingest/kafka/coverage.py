"""Whether a group reads all partitions of a topic."""

from __future__ import annotations

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from core.error import Retryable
from ingest.kafka import topics
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import error_text

_ASK = 10.0  # seconds for the brokers to answer


def unassigned(connection: Connection, group: str, topic: str) -> frozenset[int]:
    """The partitions of a topic that no member of a group has; none while the group rebalances or has no member.

    `group` and `topic` are our names. Raises Retryable if the brokers do not answer.
    """
    admin, name = opened(AdminClient, {**connection.admin(), "log_level": 0}), connection.group(group)
    try:
        found = admin.describe_consumer_groups([name], request_timeout=_ASK)[name].result()
    except KafkaException as error:
        raise Retryable(f"the Kafka brokers do not describe the group {name}: {error_text(error)}") from error
    if found.state != ConsumerGroupState.STABLE:
        return frozenset()
    held = {at.partition for member in found.members for at in member.assignment.topic_partitions if at.topic == connection.topic(topic)}
    return frozenset(range(topics.count(connection, topic))) - held
