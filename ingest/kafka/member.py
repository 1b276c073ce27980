"""A member of the ingest group for one topic: polls, and has a consumer for each partition that is assigned to it.

An error from which the client cannot recover (a fatal error, or brokers that do not give the group's offsets) ends that client, and another is made after a
pause. A static member that was killed may have to wait for the broker's session timeout.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from core.error import ConfigError
from ingest.consumer import Consumer, Limits
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.log import KafkaLog, error_text
from ingest.kafka.offsets import FIRST, offsets
from ingest.ports import Log
from ingest.record import PartitionKey, Topic

_log = logging.getLogger(__name__)

_POLL = 0.02  # seconds: commits are asked for meanwhile
_MESSAGES = 10_000  # at once
_ASK = 10.0  # seconds for the brokers to answer
_GIVE = 10.0  # seconds for writes under way when partitions go to another member
_LONGEST_PAUSE = 10.0
_BATCHES = 4  # batches of a partition for which its part of the memory has room: one is written while others are decoded and gathered

Build = Callable[[Log, Topic, int, Limits], Consumer]


class Member:
    """Runs the consumers of the partitions of `topic` that this process has. `build` makes one for a partition of a log; `memory` bounds what is not written, in bytes."""

    def __init__(self, connection: Connection, topic: Topic, build: Build, limits: Limits, memory: int) -> None:
        name = f"{connection.instance}-{topic}" if connection.instance else None
        self._connection = msgspec.structs.replace(connection, instance=name)
        self._topic, self._build, self._limits, self._memory = topic, build, limits, memory
        self._log: KafkaLog | None = None
        self._consumers: dict[PartitionKey, Consumer] = {}
        self._stop = threading.Event()
        self._problem: str | None = "not a member of the group yet"
        self._raised: Exception | None = None  # in a callback
        self.rebalances = 0
        self.lost = 0  # records that the topic's retention removed before they were read
        self._thread = threading.Thread(target=self._run, name=f"kafka-{topic}", daemon=True)

    def start(self) -> None:
        """Join the group, in a thread."""
        self._thread.start()

    def cease(self) -> None:
        """Finish what is under way and leave the group; `join` waits for it."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, at most so long."""
        self._thread.join(seconds)

    @property
    def running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    @property
    def problems(self) -> list[str]:
        """Sentences that say why partitions cannot be read or written."""
        found = [f"{topic} {partition}: {consumer.problem}" for (topic, partition), consumer in self._held() if consumer.problem]
        return [*([f"Kafka: {self._problem}"] if self._problem else []), *found]

    @property
    def partitions(self) -> dict[int, int]:
        """The partitions that are assigned here, each with the next position to write."""
        return {partition: consumer.written for (_, partition), consumer in self._held()}

    @property
    def rows(self) -> int:
        """Rows that the consumers of these partitions have written."""
        return sum(consumer.rows for _, consumer in self._held())

    @property
    def waiting(self) -> int:
        """Bytes that were taken in and are not written."""
        return self._log.waiting if self._log else 0

    def _held(self) -> Sequence[tuple[PartitionKey, Consumer]]:
        return sorted(self._consumers.copy().items())

    def _run(self) -> None:
        pause = 0.5
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._member()
            except ConfigError as error:
                self._problem = str(error)
                _log.error("Kafka: %s", error)
                return
            except Exception as error:  # top of the thread: this client is given up, and another begins
                self._problem = error_text(error)[:300]
                _log.warning("Kafka: %s; trying again in %.1f s", self._problem, pause)
            pause = 0.5 if time.monotonic() - began > 2 * _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)
            self._stop.wait(pause)

    def _member(self) -> None:
        """Be a member until `cease` is called; raises if the client cannot go on."""
        client = opened(Client, self._connection.consumer("ingest"), logger=_log)
        self._log = log = KafkaLog(client, {self._topic: self._connection.topic(self._topic)}, self._memory)
        self._raised = None
        try:
            callbacks = {"on_assign": self._assigned, "on_revoke": self._revoked, "on_lost": self._lost}
            client.subscribe([self._connection.topic(self._topic)], **{name: self._kept(call) for name, call in callbacks.items()})
            while not self._stop.is_set():
                first = client.poll(_POLL)
                if self._raised is not None:
                    raise self._raised  # noqa: TRY301 - one way out
                if first is not None:
                    log.take([first])  # before partitions may come or go
                    log.take(client.consume(_MESSAGES, 0))
                log.serve()
            self._finish([*self._consumers])
        except BaseException:
            self._drop([*self._consumers])  # the offsets are not known: the next member writes again what is under way
            raise
        finally:
            client.close()

    def _kept(self, call: Callable[[Client, list[TopicPartition]], None]) -> Callable[[Client, list[TopicPartition]], None]:
        """Wrap a callback and keep what it raises: the client would turn it into an error that no `except` catches."""

        def keeping(client: Client, partitions: list[TopicPartition]) -> None:
            try:
                call(client, partitions)
            except Exception as error:  # called by the client: `_member` raises it again
                self._raised = error

        return keeping

    def _assigned(self, client: Client, partitions: list[TopicPartition]) -> None:
        self._problem, self.rebalances = None, self.rebalances + 1
        if not partitions or self._log is None:
            return
        committed = client.committed(partitions, timeout=_ASK)
        for partition in committed:
            if partition.error is not None:
                raise KafkaException(partition.error)
        lowest = self._lowest(committed)
        self.lost += sum(max(0, low - partition.offset) for partition, low in zip(committed, lowest, strict=True) if partition.offset >= 0)
        starts = self._log.assign(zip(committed, lowest, strict=True))
        client.incremental_assign(starts)
        for partition in starts:
            key = self._log.key(partition)
            self._consumers[key] = self._build(self._log.of(*key), *key, self._limits)
        self._share()
        for partition in starts:
            self._consumers[self._log.key(partition)].start()
        _log.info("assigned: %s", ", ".join(f"{partition.topic} {partition.partition} from {partition.offset}" for partition in starts))

    def _lowest(self, committed: Sequence[TopicPartition]) -> list[int]:
        """The first offset that each partition still has. One whose leader is away must not delay the others; it goes on from its committed offset."""
        answers = offsets(opened(AdminClient, self._connection.admin()), committed, FIRST)
        found = []
        for partition in committed:
            try:
                found.append(int(answers[partition].result().offset))
            except KafkaException as error:
                if partition.offset < 0:
                    raise
                _log.warning(
                    "%s %d waits for its leader, to go on from %d: %s",
                    partition.topic,
                    partition.partition,
                    partition.offset,
                    error_text(error),
                )
                found.append(partition.offset)
        return found

    def _revoked(self, client: Client, partitions: list[TopicPartition]) -> None:
        """Partitions go to another member: finish and commit first, and then give them up."""
        self.rebalances += 1
        if self._log is not None:
            self._finish([self._log.key(partition) for partition in partitions])
        client.incremental_unassign(partitions)

    def _finish(self, keys: Sequence[PartitionKey]) -> None:
        """End these partitions' consumers, as far as that succeeds within some seconds."""
        ending = [self._consumers[key] for key in keys if key in self._consumers]
        for consumer in ending:
            consumer.cease()
        until = time.monotonic() + _GIVE
        while self._log is not None and any(consumer.running for consumer in ending) and time.monotonic() < until:
            self._log.serve()
            time.sleep(_POLL / 4)
        self._drop(keys)

    def _lost(self, client: Client, partitions: list[TopicPartition]) -> None:
        """Partitions are another member's already: nothing more is written or committed."""
        _log.warning("lost: %s", ", ".join(f"{partition.topic} {partition.partition}" for partition in partitions))
        self.rebalances += 1
        self._problem = "no member of the group any more; joining again"
        if self._log is not None:
            self._drop([self._log.key(partition) for partition in partitions])
        client.incremental_unassign(partitions)

    def _drop(self, keys: Sequence[PartitionKey]) -> None:
        for key in keys:
            if (consumer := self._consumers.pop(key, None)) is not None:
                consumer.cease(lost=True)
        if self._log is not None:
            self._log.release(keys)
        self._share()

    def _share(self) -> None:
        """Give every partition its part of the insert rate and of the memory: twice as many partitions do not make twice as many inserts."""
        many = max(1, len(self._consumers))
        bytes_ = min(self._limits.bytes, self._memory // (_BATCHES * many))
        for consumer in self._consumers.values():
            consumer.limits = msgspec.structs.replace(self._limits, bytes=bytes_, seconds=self._limits.seconds * many)
