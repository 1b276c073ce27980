"""Sets the offsets of the ingest group, after a store was restored or the group has lost its offsets. The group must have no members."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the library leaves it out of __all__

from core.error import Fatal, Retryable
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import error_text
from ingest.kafka.offsets import FIRST, LAST, group_offsets, offsets, partitions
from ingest.record import TOPICS

_ASK = 10.0  # seconds for the brokers to answer
_MEMBERS = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_SUBSCRIBED_TO_TOPIC}
_MEMBERS_REMAIN = "has members; stop all ingest processes, and wait kafka.session for those with kafka.instance"

Positions = Mapping[tuple[str, int], int]  # by topic and partition


def realign(connection: Connection, reached: Positions, *, lost: bool = False) -> dict[tuple[str, int], int]:
    """Set the offset of each partition to the one after the position that was reached, or to its first one if none was. Returns the new offsets.

    With `lost` only those partitions are moved in which the group has no offset and something was reached. Raises Fatal, having moved nothing, if the group
    still has members or if a topic ends before the position that was reached, and Retryable if the brokers are away.
    """
    admin, group = opened(AdminClient, connection.admin()), connection.group("ingest")
    names = {connection.topic(topic): topic for topic in TOPICS}
    try:
        wanted = _new_offsets(admin, names, reached)
        if lost:
            held = _held(connection, names)
            wanted = {key: at for key, at in wanted.items() if key in reached and key not in held}
        _fit(admin, names, wanted)
        if wanted and admin.describe_consumer_groups([group])[group].result().members:
            raise Fatal(f"the group {group} {_MEMBERS_REMAIN}")
        _move(admin, group, {(connection.topic(topic), part): at for (topic, part), at in wanted.items()})
    except KafkaException as error:
        if error.args[0].code() in _MEMBERS:
            raise Fatal(f"the group {group} {_MEMBERS_REMAIN}") from error
        raise Retryable(f"the brokers at {connection.bootstrap} do not answer: {error_text(error)}") from error
    return wanted


def _new_offsets(admin: AdminClient, names: Mapping[str, str], reached: Positions) -> dict[tuple[str, int], int]:
    """The new offset of each partition: after the position that was reached, and not before the first one that the topic still has."""
    first = _ends(admin, names, FIRST)
    return {key: max(reached.get(key, -1) + 1, low) for key, low in first.items()}


def _fit(admin: AdminClient, names: Mapping[str, str], positions: Positions) -> None:
    """Raise Fatal if an offset is beyond the end of its topic."""
    last = _ends(admin, names, LAST)
    if beyond := [f"{topic} {part}" for (topic, part), at in positions.items() if at > last[topic, part]]:
        raise Fatal(f"there are facts beyond the end of {', '.join(beyond)}; the topic was created again: see docs/operations.md")


def _ends(admin: AdminClient, names: Mapping[str, str], which: OffsetSpec) -> dict[tuple[str, int], int]:
    """Offsets of all partitions."""
    parts = partitions(admin.list_topics(timeout=_ASK).topics, names)
    return {
        (names[partition.topic], partition.partition): answer.result().offset for partition, answer in offsets(admin, parts, which).items()
    }


def _held(connection: Connection, names: Mapping[str, str]) -> set[tuple[str, int]]:
    """The partitions in which the group has an offset."""
    return {
        (names[partition.topic], partition.partition)
        for partition in group_offsets(connection, "ingest", [*names])
        if partition.offset >= 0
    }


def _move(admin: AdminClient, group: str, positions: Positions) -> None:
    wanted = [TopicPartition(topic, part, at) for (topic, part), at in positions.items()]
    if not wanted:
        return
    for partition in (
        admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])[group].result().topic_partitions or []
    ):
        if partition.error is not None:
            raise KafkaException(partition.error)
