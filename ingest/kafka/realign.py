"""Moves the ingest group to where somebody says, when a store was restored or the group has lost its places. No member may be there."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the library leaves it out of __all__

from core.error import Fatal, Retryable
from ingest.kafka.connection import Connection
from ingest.kafka.log import said
from ingest.record import TOPICS

_ASK = 10.0  # seconds for the brokers to answer
_MEMBERS = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_SUBSCRIBED_TO_TOPIC}
_FIRST, _LAST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]

Place = tuple[str, int]


def realign(connection: Connection, reached: Mapping[Place, int]) -> dict[Place, int]:
    """Let each partition be read on after the position that was reached, one without any from its beginning; the places by topic and partition.

    Raises Fatal, having moved nothing, if the group still has members or if a topic does not hold what was reached, and Retryable if the brokers
    are away.
    """
    admin, group = AdminClient(connection.admin()), connection.group("ingest")
    try:
        places = _places(admin, {connection.topic(topic): topic for topic in TOPICS}, reached)
        if admin.describe_consumer_groups([group])[group].result().members:
            raise Fatal(_occupied(group))
        _move(admin, group, {(connection.topic(topic), part): at for (topic, part), at in places.items()})
    except KafkaException as error:
        if error.args[0].code() in _MEMBERS:
            raise Fatal(_occupied(group)) from error
        raise Retryable(f"the brokers at {connection.bootstrap} do not answer: {said(error)}") from error
    return places


def _places(admin: AdminClient, names: Mapping[str, str], reached: Mapping[Place, int]) -> dict[Place, int]:
    """The place of each partition."""
    known = admin.list_topics(timeout=_ASK).topics
    if missing := [name for name in names if name not in known]:
        raise Fatal(f"there is no topic {', '.join(missing)}; `watchkeeper migrate` makes them")
    parts = [TopicPartition(name, part) for name in names for part in known[name].partitions]
    first, last = (
        {
            (names[told.topic], told.partition): answer.result().offset
            for told, answer in admin.list_offsets(dict.fromkeys(parts, spec)).items()
        }
        for spec in (_FIRST, _LAST)
    )
    places = {place: max(reached.get(place, -1) + 1, low) for place, low in first.items()}
    if beyond := [f"{topic} {part}" for (topic, part), at in places.items() if at > last[topic, part]]:
        raise Fatal(f"there are facts beyond the end of {', '.join(beyond)}; the topic was made anew: see docs/operations.md")
    return places


def _move(admin: AdminClient, group: str, places: Mapping[Place, int]) -> None:
    wanted = [TopicPartition(topic, part, at) for (topic, part), at in places.items()]
    for told in admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])[group].result().topic_partitions or []:
        if told.error is not None:
            raise KafkaException(told.error)


def _occupied(group: str) -> str:
    return f"the group {group} has members; stop all ingest processes, and wait kafka.session for those with kafka.instance"
