"""The port `Log` over the partitions that Kafka has assigned to this process.

Each consumer reads through the assignment that it was made for (`AssignedLog`): if the partition was given up meanwhile and has come back, it gets nothing of
what the next consumer must read. No position is passed over because the client delivers a later one: the client is first told to read again from there. Only if that
gives the later position once more, there is nothing between, as where a transaction ended. After the first single position of that kind, later single ones are believed: a
topic with transactions has one for each.

One thread owns the client, because the client does not let one thread commit while another polls. The thread polls, hands in the records (`take`),
and makes the commits that were asked for (`serve`). Each partition's consumer reads from here. Bytes that are not yet written count, whether they
wait here or were handed out; when there are more than memory allows, the partitions that hold them are paused. The metadata of an offset commit names
the last position of the batch that was begun, so that the process that has the partition next writes exactly that batch again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from core.error import Retryable
from ingest.ports import CommittedPosition
from ingest.record import LogRecord, LogStretch, PartitionKey, Topic

_log = logging.getLogger(__name__)

_INTENT = "v1|i|"
_MOST = 50_000  # records a batch
_RECORD = 200  # bytes of a record beside its body
_RESUME = 0.5  # paused partitions are read again below this part of the memory, or of a partition's share
_PATIENCE = 30.0  # seconds for a commit

Asked = dict[PartitionKey, tuple[TopicPartition, Future[None]]]  # commits, one a partition


@dataclass
class _Partition:
    """The state of one assigned partition. `reached` is the position up to which all records were taken in.

    `given` are the batches that were handed out and are not written, each as its last position and its bytes. `bytes` counts everything that is not written.
    `sought` is the position from which the client was last told to read again, `markers` whether it has
    twice passed over the same single position, as at the end of a transaction.
    """

    committed: CommittedPosition
    reached: int
    records: deque[LogRecord] = field(default_factory=deque)
    given: deque[tuple[int, int]] = field(default_factory=deque)
    bytes: int = 0
    paused: bool = False
    sought: int | None = None
    markers: bool = False

    def trusts(self, position: int) -> bool:
        """Whether there are no records from what was reached up to a position that comes next."""
        if position <= self.reached:
            return True
        if self.sought == self.reached:
            self.markers |= position == self.reached + 1
            return True
        return self.markers and position == self.reached + 1

    @property
    def awaited(self) -> bool:
        """Whether a batch that an earlier consumer began is not yet taken in whole; until it is, nothing is handed out."""
        return self.committed.intent is not None and self.reached <= self.committed.intent


class KafkaLog:
    """Records of assigned partitions. `names` are the topics as they are called on the brokers; `memory` is in bytes."""

    def __init__(self, consumer: Consumer, names: Mapping[Topic, str], memory: int) -> None:
        self._consumer = consumer
        self._names = names
        self._topics = {name: topic for topic, name in names.items()}
        self._memory = memory
        self._bytes = 0
        self._held: dict[PartitionKey, _Partition] = {}
        self._asked: Asked = {}
        self._changed = threading.Condition()

    def key(self, where: TopicPartition | Message) -> PartitionKey:
        """The topic, by our name for it, and the partition."""
        if isinstance(where, TopicPartition):
            return self._topics[where.topic], where.partition
        return self._topics[where.topic() or ""], where.partition() or 0

    def assign(self, partitions: Iterable[tuple[TopicPartition, int]]) -> list[TopicPartition]:
        """Take partitions, each with its committed offset and the first offset that it still has; the offsets to fetch from."""
        starts = []
        with self._changed:
            for assigned, low in partitions:
                key = self.key(assigned)
                committed = (
                    CommittedPosition(assigned.offset, intent(assigned.metadata)) if assigned.offset >= 0 else CommittedPosition(low, None)
                )
                start = max(committed.next, low)
                if committed.next < low:
                    _log.error(
                        "%s %d: positions %d to %d were removed by the topic's retention before they were read; lengthen it",
                        *key,
                        committed.next,
                        low - 1,
                    )
                self._held[key] = _Partition(committed, start)
                starts.append(TopicPartition(assigned.topic, assigned.partition, start))
        return starts

    def release(self, keys: Iterable[PartitionKey]) -> None:
        """Give up these partitions. Call it while the client still has them: else a paused one would still be paused when it comes back."""
        keys = [*keys]
        with self._changed:
            paused = self._turned(paused=False, which=self._held.keys() & keys)
            for key in keys:
                if (held := self._held.pop(key, None)) is not None:
                    self._bytes -= held.bytes
                if (asked := self._asked.pop(key, None)) is not None:
                    asked[1].set_exception(_gone(*key))
            self._changed.notify_all()
        if paused:
            self._consumer.resume(paused)

    def take(self, messages: Sequence[Message]) -> None:
        """Take in the polled messages. Raises KafkaException for an error from which the client cannot recover."""
        doubted: dict[PartitionKey, int] = {}  # where the client passes positions over: what was reached
        with self._changed:
            for message in messages:
                if (error := message.error()) is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    if error.fatal() or not error.retriable():
                        raise KafkaException(error)
                    continue
                held = self._held.get(key := self.key(message))
                offset = message.offset() or 0
                if held is None or offset < held.reached or key in doubted:
                    continue  # of a partition that is no longer ours, or fetched twice around a pause
                if not held.trusts(offset):
                    held.sought = doubted[key] = held.reached
                    continue
                if error is None:
                    self._add(held, message, offset)
                held.reached = offset if error is not None else offset + 1
            self._changed.notify_all()
            crowded = self._crowded() if self._bytes > self._memory else []
        for (topic, partition), position in doubted.items():
            _log.warning("%s %d: the client passes over position %d; it is read again", topic, partition, position)
            try:
                self._consumer.seek(TopicPartition(self._names[topic], partition, position))
            except KafkaException as error:  # the partition may be going; the next record asks again
                _log.warning("%s %d could not be read again: %s", topic, partition, error_text(error))
                self._forget(topic, partition)
        if crowded:
            self._consumer.pause(crowded)

    def _forget(self, topic: Topic, partition: int) -> None:
        """The client was not told to read again."""
        with self._changed:
            if (held := self._held.get((topic, partition))) is not None:
                held.sought = None

    def _add(self, held: _Partition, message: Message, offset: int) -> None:
        body = message.value() or b""
        held.records.append(LogRecord(offset, message.timestamp()[1] * 1_000, "json", body))
        held.bytes += len(body) + _RECORD
        self._bytes += len(body) + _RECORD

    def of(self, topic: Topic, partition: int) -> AssignedLog:
        """The log as the consumer of the present assignment of a partition reads it. Raises Retryable if there is none."""
        with self._changed:
            if (held := self._held.get((topic, partition))) is None:
                raise _gone(topic, partition)
            return AssignedLog(self, held)

    def serve(self) -> None:
        """Make the commits that were asked for, in one request, and let paused partitions go on where there is room again."""
        with self._changed:
            asked, self._asked = self._asked, {}
        if asked:
            self._settle(asked)
        with self._changed:
            eased = self._eased()
        if eased:
            self._consumer.resume(eased)

    def _settle(self, asked: Asked) -> None:
        try:
            answers = self._consumer.commit(offsets=[offset for offset, _ in asked.values()], asynchronous=False) or []
            errors: dict[PartitionKey, object] = {self.key(answer): answer.error for answer in answers}
        except KafkaException as error:
            errors = dict.fromkeys(asked, error_text(error))
        for key, (offset, future) in asked.items():
            if (why := errors.get(key)) is None:
                self._written(key, offset.offset)
                future.set_result(None)
            else:
                future.set_exception(Retryable(f"the offset in {offset.topic} {offset.partition} could not be committed: {why}"))

    def commit(self, held: _Partition, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Commit in the group. Raises Retryable if this process is no longer a member, or during a rebalance."""
        metadata = "" if committed.intent is None else f"{_INTENT}{committed.intent}"
        future: Future[None] = Future()
        with self._changed:
            self._check(held, topic, partition)
            self._asked[topic, partition] = TopicPartition(self._names[topic], partition, committed.next, metadata), future
        try:
            future.result(_PATIENCE)
        except TimeoutError:
            raise Retryable(
                f"Kafka has not committed the offset in {topic} {partition} within {_PATIENCE:.0f} s; are the brokers there?"
            ) from None

    def read(self, held: _Partition, topic: Topic, partition: int, *, until: int | None, most: int) -> LogStretch:
        """The next records. They are handed out once, so the reader must keep them. With `until`, `most` does not count."""
        with self._changed:
            self._check(held, topic, partition)
            records: list[LogRecord] = []
            size = 0
            while held.records and (until is None or held.records[0].position <= until):
                if until is None and records and (size + len(held.records[0].body) > most or len(records) >= _MOST):
                    break
                records.append(held.records.popleft())
                size += len(records[-1].body)
            if records:
                held.given.append((records[-1].position, size + _RECORD * len(records)))
            last = records[-1].position if held.records and records else held.reached - 1
        return LogStretch(records, last if until is None else min(last, until))

    def wait(self, held: _Partition, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait until everything up to `position` was taken in."""
        key = (topic, partition)
        with self._changed:
            there = self._changed.wait_for(lambda: self._held.get(key) is not held or held.reached > position, seconds)
            return there and self._held.get(key) is held

    @property
    def waiting(self) -> int:
        """Bytes that were taken in and are not written."""
        return self._bytes

    def _check(self, held: _Partition, topic: Topic, partition: int) -> None:
        """Raise Retryable unless the partition is still that of this assignment."""
        if self._held.get((topic, partition)) is not held:
            raise _gone(topic, partition)

    def _written(self, key: PartitionKey, before: int) -> None:
        """Note that the records below this position are written."""
        with self._changed:
            held = self._held.get(key)
            while held is not None and held.given and held.given[0][0] < before:
                _, size = held.given.popleft()
                held.bytes -= size
                self._bytes -= size

    @property
    def _share(self) -> float:
        return self._memory / max(1, len(self._held))

    def _crowded(self) -> list[TopicPartition]:
        """Partitions to pause: those that hold more than their share, except one whose batch must be read to its end before it can be written."""
        full = {key for key, held in self._held.items() if held.bytes >= self._share and not held.awaited}
        return self._turned(paused=True, which=full)

    def _eased(self) -> list[TopicPartition]:
        """Partitions to read again: all if there is room; otherwise those that hold little, because others use the memory."""
        room = self._bytes <= self._memory * _RESUME
        return self._turned(paused=False, which={key for key, held in self._held.items() if room or held.bytes <= self._share * _RESUME})

    def _turned(self, *, paused: bool, which: set[PartitionKey]) -> list[TopicPartition]:
        found = [key for key in which if self._held[key].paused != paused]
        for key in found:
            self._held[key].paused = paused
        return [TopicPartition(self._names[topic], partition) for topic, partition in found]


class AssignedLog:
    """The port `Log` of one assignment of a partition. Once the partition was given up, every call raises Retryable or waits in vain."""

    def __init__(self, log: KafkaLog, held: _Partition) -> None:
        self._log, self._held = log, held

    def committed(self, _topic: Topic, _partition: int) -> CommittedPosition:
        """The committed position of the partition when it was assigned."""
        return self._held.committed

    def commit(self, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Commit in the group. Raises Retryable."""
        self._log.commit(self._held, topic, partition, committed)

    def read(self, topic: Topic, partition: int, _start: int, *, until: int | None, most: int) -> LogStretch:
        """The next records, which begin where the last ones ended. Raises Retryable."""
        return self._log.read(self._held, topic, partition, until=until, most=most)

    def wait(self, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait until everything up to `position` was taken in."""
        return self._log.wait(self._held, topic, partition, position, seconds)


def _gone(topic: Topic, partition: int) -> Retryable:
    return Retryable(f"{topic} {partition} is not assigned to this process any more")


def intent(metadata: str | None) -> int | None:
    """The last position of the batch that was begun, if one was."""
    return int(metadata.removeprefix(_INTENT)) if metadata and metadata.startswith(_INTENT) else None


def error_text(error: BaseException) -> str:
    """The message of an error of the client."""
    return str(error.args[0]) if error.args else repr(error)
