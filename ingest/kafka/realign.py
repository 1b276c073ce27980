"""Moves the ingest group to where somebody says, when a store was restored or the group has lost its places. No member may be there."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the library leaves it out of __all__

from core.error import Fatal, Retryable
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import said
from ingest.kafka.offsets import FIRST, LAST, offsets, partitions, places
from ingest.record import TOPICS

_ASK = 10.0  # seconds for the brokers to answer
_MEMBERS = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_SUBSCRIBED_TO_TOPIC}
_MEMBERS_REMAIN = "has members; stop all ingest processes, and wait kafka.session for those with kafka.instance"

Place = tuple[str, int]


def realign(connection: Connection, reached: Mapping[Place, int], *, lost: bool = False) -> dict[Place, int]:
    """Let each partition be read on after the position that was reached, one without any from its beginning; the places by topic and partition.

    With `lost` only those are moved in which the group has no place, and something was reached. Raises Fatal, having moved nothing, if the group
    still has members or if a topic does not hold what was reached, and Retryable if the brokers are away.
    """
    admin, group = opened(AdminClient, connection.admin()), connection.group("ingest")
    names = {connection.topic(topic): topic for topic in TOPICS}
    try:
        wanted = _places(admin, names, reached)
        if lost:
            held = _held(connection, names)
            wanted = {place: at for place, at in wanted.items() if place in reached and place not in held}
        _fit(admin, names, wanted)
        if wanted and admin.describe_consumer_groups([group])[group].result().members:
            raise Fatal(f"the group {group} {_MEMBERS_REMAIN}")
        _move(admin, group, {(connection.topic(topic), part): at for (topic, part), at in wanted.items()})
    except KafkaException as error:
        if error.args[0].code() in _MEMBERS:
            raise Fatal(f"the group {group} {_MEMBERS_REMAIN}") from error
        raise Retryable(f"the brokers at {connection.bootstrap} do not answer: {said(error)}") from error
    return wanted


def _places(admin: AdminClient, names: Mapping[str, str], reached: Mapping[Place, int]) -> dict[Place, int]:
    """The place of each partition: after what was reached, and not before what the topic still has."""
    first = _ends(admin, names, FIRST)
    return {place: max(reached.get(place, -1) + 1, low) for place, low in first.items()}


def _fit(admin: AdminClient, names: Mapping[str, str], places: Mapping[Place, int]) -> None:
    """Raise Fatal if a place is beyond the end of its topic."""
    last = _ends(admin, names, LAST)
    if beyond := [f"{topic} {part}" for (topic, part), at in places.items() if at > last[topic, part]]:
        raise Fatal(f"there are facts beyond the end of {', '.join(beyond)}; the topic was made anew: see docs/operations.md")


def _ends(admin: AdminClient, names: Mapping[str, str], which: OffsetSpec) -> dict[Place, int]:
    """Offsets of all partitions."""
    parts = partitions(admin.list_topics(timeout=_ASK).topics, names)
    return {(names[told.topic], told.partition): answer.result().offset for told, answer in offsets(admin, parts, which).items()}


def _held(connection: Connection, names: Mapping[str, str]) -> set[Place]:
    """Where the group has a place."""
    return {(names[told.topic], told.partition) for told in places(connection, "ingest", [*names]) if told.offset >= 0}


def _move(admin: AdminClient, group: str, places: Mapping[Place, int]) -> None:
    wanted = [TopicPartition(topic, part, at) for (topic, part), at in places.items()]
    if not wanted:
        return
    for told in admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])[group].result().topic_partitions or []:
        if told.error is not None:
            raise KafkaException(told.error)
