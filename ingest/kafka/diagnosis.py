"""Diagnosis of the brokers: can they be reached, are they new enough, are topics and groups set up right, may we write?"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import (
    KafkaError,
    KafkaException,
    Message,
    Producer,
)
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from core.error import ConfigError
from core.finding import Finding, away, clock, version
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import error_text
from ingest.kafka.offsets import group_offsets
from ingest.kafka.topics import SETTINGS
from ingest.record import TOPICS

NAME = "kafka"
LEAST = (3, 9)
OUTAGE = 3 * 86_400_000  # milliseconds, a long weekend: how long the topics of events must keep unread records at least
_ASK = 5.0  # seconds
_ALL_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - its public name
_RIGHTS = "grant the account Describe and DescribeConfigs on the cluster and on the topics"

_log = logging.getLogger(__name__)
_silent = logging.getLogger(f"{__name__}.client")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False

Configs = Mapping[str, Any]


def diagnose(connection: Connection, partitions: int, replication: int) -> Iterator[Finding]:
    """The findings about the brokers. The first says whether they answer; if not, there is no other.

    `partitions` and `replication` are the settings'. A tick without a model is sent to learn the brokers' clock and that all in-sync replicas answer.
    """
    try:
        yield from _found(connection, partitions, replication)
    except ConfigError as error:
        yield Finding(NAME, well=False, seen=error.message, remedy=error.remedy)


def _found(connection: Connection, partitions: int, replication: int) -> Iterator[Finding]:
    heard: list[str] = []

    def hear(error: KafkaError) -> None:
        if error.code() != _ALL_DOWN:
            heard.append(error.str())

    settings: dict[str, Any] = {**connection.admin(), "error_cb": hear}
    admin = opened(AdminClient, settings, logger=_silent)
    try:
        known = admin.list_topics(timeout=_ASK)
    except KafkaException as error:
        admin.poll(0)
        yield away(
            NAME,
            f"the brokers at {connection.bootstrap} do not answer: {_telling(heard) or error_text(error)}",
            "kafka.bootstrap or kafka.options",
        )
        return
    yield Finding(NAME, well=True, seen=f"{len(known.brokers)} broker{'s' * (len(known.brokers) != 1)} at {connection.bootstrap}")
    brokers = _configs(admin, ResourceType.BROKER, [str(number) for number in known.brokers])
    yield _version(brokers)
    topics = {connection.topic(name): name for name in SETTINGS}
    if missing := sorted(topics.keys() - known.topics.keys()):
        yield Finding(f"{NAME} topics", well=False, seen=f"there is no {', '.join(missing)}", remedy="run `watchkeeper migrate`")
    configs = _configs(admin, ResourceType.TOPIC, [topic for topic in topics if topic in known.topics])
    for topic in sorted(topics.keys() & known.topics.keys()):
        problems = _layout(known.topics[topic], partitions, replication)
        problems |= _settings(topics[topic], configs[topic]) if topic in configs else {"its settings cannot be seen": _RIGHTS}
        yield Finding(f"topic {topic}", not problems, "; ".join(problems) or "as it must be", "; ".join(dict.fromkeys(problems.values())))
    yield from _groups(connection, brokers, configs)
    if connection.topic("ticks") in known.topics:
        yield from _written(connection)


def _telling(heard: list[str]) -> str:
    """Of the errors that a client reported while it tried again, the most telling: of a port without TLS the failed handshake, and not that the connection was closed."""
    return max(reversed(heard), key=lambda text: "SSL handshake" in text, default="")


def _configs(admin: AdminClient, kind: ResourceType, names: list[str]) -> dict[str, Configs]:
    """The settings of brokers or topics, as far as we may read them."""
    found: dict[str, Configs] = {}
    for resource, answer in (
        admin.describe_configs([ConfigResource(kind, name) for name in names], request_timeout=_ASK).items() if names else ()
    ):
        with suppress(KafkaException):
            found[resource.name] = {name: entry.value for name, entry in answer.result().items()}
    return found


def _version(brokers: Mapping[str, Configs]) -> Finding:
    """Brokers do not give their version. Until 4.0 they give the protocol that they speak with one another, and from 3.9 on whether their quorum may change."""
    if not brokers:
        return Finding(f"{NAME} version", well=True, seen=f"cannot be seen; {_RIGHTS}")
    spoken = sorted(config.get("inter.broker.protocol.version") or "4.0" for config in brokers.values())
    found = version(NAME, spoken[0], LEAST, "earlier ones were not tried")
    return Finding(found.name, found.well, f"{spoken[0]} or later", found.remedy)


def _layout(topic: Any, partitions: int, replication: int) -> dict[str, str]:
    """What is wrong with a topic's partitions and replicas, with the remedy."""
    problems: dict[str, str] = {}
    parts = topic.partitions.values()
    copies = min((len(part.replicas) for part in parts), default=0)
    if len(parts) != partitions:
        problems[f"{len(parts)} partitions, kafka.partitions is {partitions}"] = (
            "set kafka.partitions to what is there; docs/operations.md says how to add some"
        )
    if copies != replication:
        problems[f"{copies} replicas, kafka.replication is {replication}"] = "set kafka.replication to what is there, or reassign the topic"
    if behind := sum(len(part.isrs) < len(part.replicas) for part in parts):
        problems[f"{behind} partitions are not in sync on all their replicas"] = "see which broker is away"
    if headless := sum(part.leader < 0 for part in parts):
        problems[f"{headless} partitions have no leader"] = "start the brokers that hold them"
    return problems


def _settings(name: str, config: Configs) -> dict[str, str]:
    """What is wrong with a topic's settings, with the remedy."""
    problems: dict[str, str] = {}
    expected = SETTINGS[name]

    def expect(key: str, value: object, why: str, *, well: bool) -> None:
        if not well:
            problems[f"{key}={config.get(key)}: {why}"] = f"set {key}={value}"

    keeps = int(config.get("retention.ms") or -1)
    expect(
        "message.timestamp.type", "LogAppendTime", "times are the producers'", well=config.get("message.timestamp.type") == "LogAppendTime"
    )
    cleaned = str(expected.get("cleanup.policy", "delete"))
    why = "records may go before they are read" if cleaned == "delete" else "the last record of a key may go"
    expect("cleanup.policy", cleaned, why, well=config.get("cleanup.policy") == cleaned)
    largest = int(expected.get("max.message.bytes", 0))
    expect("max.message.bytes", largest, "larger events are refused", well=int(config.get("max.message.bytes") or largest) >= largest)
    if name in TOPICS:
        expect("retention.ms", expected["retention.ms"], "an outage over a weekend would lose events", well=keeps < 0 or keeps >= OUTAGE)
        expect("retention.bytes", -1, "a busy day would remove what is not read yet", well=int(config.get("retention.bytes") or -1) < 0)
    return problems


def _groups(connection: Connection, brokers: Mapping[str, Configs], topics: Mapping[str, Configs]) -> Iterator[Finding]:
    """Whether the groups can be read, and whether the brokers keep their offsets as long as the events."""
    for part, read in (("ingest", TOPICS), ("evaluate", ("ticks",))):
        group = connection.group(part)
        try:
            held = sum(at.offset >= 0 for at in group_offsets(connection, part, [connection.topic(topic) for topic in read]))
            yield Finding(f"group {group}", well=True, seen=f"holds {held} offsets")
        except KafkaException as error:
            yield Finding(f"group {group}", well=False, seen=error_text(error), remedy=f"grant the account Read on the group {group}")
    kept = [60_000 * int(config["offsets.retention.minutes"]) for config in brokers.values() if config.get("offsets.retention.minutes")]
    events = [int(topics[topic]["retention.ms"] or -1) for topic in map(connection.topic, TOPICS) if topic in topics]
    if kept and events:
        longest = max(1 << 62 if keeps < 0 else keeps for keeps in events)
        days = "for ever" if longest == 1 << 62 else f"{longest / 86_400_000:.0f} days"
        yield Finding(
            "offsets of groups",
            min(kept) >= min(longest, max(OUTAGE, 7 * 86_400_000)),
            f"the brokers keep them {min(kept) / 86_400_000:.0f} days without a member, events {days}",
            "set the brokers' offsets.retention.minutes to as long as the events are kept: a group without its offsets reads everything again",
        )


def _written(connection: Connection) -> Iterator[Finding]:
    """Send a tick without a model: agents ignore a message without a key."""
    reports: list[tuple[KafkaError | None, int]] = []

    def report(error: KafkaError | None, message: Message) -> None:
        reports.append((error, message.timestamp()[1]))

    producer = opened(Producer, {**connection.producer(), "message.timeout.ms": int(_ASK * 1_000), "linger.ms": 0}, logger=_silent)
    asked = time.time_ns() // 1_000
    producer.produce(connection.topic("ticks"), b"", on_delivery=report)
    producer.flush(2 * _ASK)
    answered = time.time_ns() // 1_000
    error, stamped = reports[0] if reports else (KafkaError(KafkaError._MSG_TIMED_OUT), 0)  # noqa: SLF001 - its public name
    if error is not None:
        remedy = "grant the account Write on the topics; with `acks=all` as many replicas as min.insync.replicas must be there"
        yield Finding(f"{NAME} writing", well=False, seen=error.str(), remedy=remedy)
        return
    yield Finding(f"{NAME} writing", well=True, seen=f"acknowledged in {(answered - asked) / 1_000:.0f} ms")
    yield clock(NAME, asked - 1_000, stamped * 1_000, answered)  # stamps are whole milliseconds
