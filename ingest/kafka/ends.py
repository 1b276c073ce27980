"""Asks the brokers where the topics end and how far the ingest group is, without being a member of the group."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from core.error import Retryable
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import error_text, intent
from ingest.kafka.offsets import LAST, offsets, partitions
from ingest.record import TOPICS, Topic

_FRESH = 0.2  # seconds
_ASK = 10.0  # seconds for the brokers to answer


class TopicEnds(NamedTuple):
    """One partition: the offset after its last record, the next one that ingest writes, and whether a batch is under way."""

    end: int
    next: int
    begun: bool

    @property
    def lag(self) -> int:
        """Records that are not durably written."""
        return max(0, self.end - self.next)


class Ends:
    """Asks the brokers, and holds each answer for `fresh` seconds. Safe to share between threads; every question may raise Retryable."""

    def __init__(self, connection: Connection, fresh: float = _FRESH) -> None:
        self._fresh = fresh
        self._names = {connection.topic(topic): topic for topic in TOPICS}
        self._connection = connection
        self._open()
        self._lock = threading.Lock()
        self._held: dict[tuple[Topic, int], TopicEnds] = {}
        self._looked = -fresh
        self._moved = time.monotonic()

    def per_partition(self) -> dict[tuple[Topic, int], TopicEnds]:
        """The ends and offsets of every partition."""
        with self._lock:
            if time.monotonic() - self._looked >= self._fresh:
                found = self._look()
                if any(at.lag > 0 or at.begun for at in found.values()) or _ends(found) != _ends(self._held):
                    self._moved = time.monotonic()
                self._held, self._looked = found, time.monotonic()
            return self._held

    def caught_up(self) -> bool:
        """Whether everything is durably written: every partition is committed to its end, and no batch is under way."""
        return all(at.lag <= 0 and not at.begun for at in self.per_partition().values())

    def silent(self, seconds: float) -> bool:
        """Whether everything is written, and nothing has come for some seconds while this process looked."""
        return self.caught_up() and time.monotonic() - self._moved >= seconds

    def status(self) -> dict[str, Any]:
        """By topic, over all partitions: end, written and lag, how many have a batch under way, and their number."""
        standing = self.per_partition()
        found: dict[str, Any] = {}
        for topic in TOPICS:
            parts = [at for (of, _), at in standing.items() if of == topic]
            end, written = sum(at.end for at in parts), sum(at.next for at in parts)
            begun = sum(at.begun for at in parts)
            found[topic] = {"end": end, "written": written, "lag": sum(at.lag for at in parts), "begun": begun, "partitions": len(parts)}
        return found

    def close(self) -> None:
        """Close the connections."""
        self._group.close()

    def _look(self) -> dict[tuple[Topic, int], TopicEnds]:
        try:
            known = self._group.list_topics(timeout=_ASK).topics
            parts = partitions(known, self._names)
            # Committed offsets first: they cannot be beyond ends that are asked for later.
            committed = self._group.committed(parts, timeout=_ASK)
            answers = offsets(self._admin, parts, LAST)
            ends = {(partition.topic, partition.partition): answer.result().offset for partition, answer in answers.items()}
            found = {}
            for at in committed:
                if at.error is not None:
                    raise Retryable(f"the Kafka brokers do not give the offsets of ingest: {at.error}")
                end = ends[at.topic, at.partition]
                next_ = at.offset if at.offset >= 0 else self._first(at) if end else 0
                found[self._names[at.topic], at.partition] = TopicEnds(end, next_, intent(at.metadata) is not None)
        except (KafkaException, RuntimeError) as error:
            self._moved = time.monotonic()  # nobody knows what has come meanwhile
            self.close()
            self._open()  # the clients may keep brokers and epochs that no longer exist
            raise Retryable(f"the Kafka brokers do not answer: {error_text(error)}") from error
        return found

    def _open(self) -> None:
        self._group = opened(Consumer, self._connection.reader_settings("ingest"))
        self._admin = opened(AdminClient, {**self._connection.admin(), "log_level": 0})

    def _first(self, partition: TopicPartition) -> int:
        """Where ingest will begin in a partition that it has never read."""
        low, _ = self._group.get_watermark_offsets(TopicPartition(partition.topic, partition.partition), timeout=_ASK)
        return int(low)


def _ends(standing: dict[tuple[Topic, int], TopicEnds]) -> dict[tuple[Topic, int], int]:
    return {partition: at.end for partition, at in standing.items()}
