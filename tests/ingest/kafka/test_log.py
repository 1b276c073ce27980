"""What the log holds of its partitions, and which of them it pauses, with a client without a broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from core.error import Retryable
from ingest.kafka import log as kafka_log
from ingest.kafka.log import KafkaLog
from ingest.ports import CommittedPosition

MEMORY = 3_000
PARTITIONS = 2


class Client(Consumer):
    """A consumer that remembers which partitions are paused and where it was told to read again, and whose every commit succeeds."""

    def __init__(self) -> None:
        super().__init__({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
        self.paused: set[int] = set()
        self.sought: list[tuple[int, int]] = []

    def pause(self, partitions: list[TopicPartition]) -> None:
        """Pause them."""
        self.paused |= {told.partition for told in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        """Let them go on."""
        self.paused -= {told.partition for told in partitions}

    def seek(self, partition: TopicPartition) -> None:
        """Note it."""
        self.sought.append((partition.partition, partition.offset))

    def commit(self, *, offsets: list[TopicPartition], **_: Any) -> list[TopicPartition]:  # type: ignore[override]  # the one form that is called
        """Commit them."""
        return offsets


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()


def assigned(client: Client, *, begun: Sequence[str] = ("",) * PARTITIONS) -> KafkaLog:
    """A log of two partitions from position 0, each with the metadata of its place."""
    log = KafkaLog(client, {"predictions": "predictions"}, MEMORY)
    log.assign((TopicPartition("predictions", part, 0, metadata), 0) for part, metadata in enumerate(begun))
    return log


def records(partition: int, positions: range, size: int = 100) -> list[Message]:
    """What the client would have polled."""
    return [Message(topic="predictions", partition=partition, offset=at, value=b"x" * size, timestamp=(2, 1_000)) for at in positions]


def written(log: KafkaLog, partition: int, before: int) -> None:
    """Commit as a consumer does, while the client is served."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(log.of("predictions", partition).commit, "predictions", partition, CommittedPosition(before, None))
        while not done.done():
            log.serve()
        done.result()
    log.serve()


def test_a_partition_is_paused_at_its_share_and_goes_on_when_it_was_written(client: Client) -> None:
    """The one that holds most of the memory, and not the other; what was handed out counts until its place is committed beyond it."""
    log = assigned(client)
    log.take([*records(0, range(9)), *records(1, range(2))])
    assert (client.paused, log.waiting) == ({0}, 11 * 300)
    assert len(log.of("predictions", 0).read("predictions", 0, 0, until=None, most=700).records) == 7
    assert len(log.of("predictions", 0).read("predictions", 0, 7, until=None, most=700).records) == 2
    log.serve()
    assert (client.paused, log.waiting) == ({0}, 11 * 300)
    written(log, 0, 7)
    assert (client.paused, log.waiting) == (set(), 4 * 300)
    written(log, 0, 9)
    assert log.waiting == 2 * 300


def test_a_record_without_a_body_takes_memory_too(client: Client) -> None:
    """So that a topic of nothing but tombstones is no exception."""
    log = assigned(client)
    log.take(records(0, range(20), size=0))
    assert (client.paused, log.waiting) == ({0}, 20 * 200)


def test_a_partition_that_cannot_be_written_does_not_keep_another_one_paused(client: Client) -> None:
    """The first has more than half of the memory, and keeps it."""
    log = assigned(client)
    log.take([*records(0, range(6)), *records(1, range(6))])
    assert client.paused == {0, 1}
    log.of("predictions", 1).read("predictions", 1, 0, until=None, most=1 << 20)
    written(log, 1, 6)
    assert client.paused == {0}


def test_a_batch_that_was_begun_is_taken_in_whole_however_large(client: Client) -> None:
    """Until then nothing of it is handed out: a pause would last for ever. After it memory counts again."""
    log = assigned(client, begun=["v1|i|19", "v1|i|19"])
    log.take([*records(0, range(15)), *records(1, range(15))])
    assert client.paused == set()
    log.take([*records(0, range(15, 25)), *records(1, range(15, 19))])
    assert client.paused == {0}
    assert log.of("predictions", 0).wait("predictions", 0, 19, 0)
    assert [record.position for record in log.of("predictions", 0).read("predictions", 0, 0, until=19, most=1).records] == [*range(20)]


def test_what_is_released_takes_no_memory(client: Client) -> None:
    """Neither what waited nor what was handed out."""
    log = assigned(client)
    log.take([*records(0, range(9)), *records(1, range(2))])
    log.of("predictions", 0).read("predictions", 0, 0, until=None, most=300)
    log.release([("predictions", 0)])
    assert (client.paused, log.waiting) == (set(), 2 * 300)


def positions(log: KafkaLog, partition: int = 0) -> list[int]:
    return [
        record.position for record in log.of("predictions", partition).read("predictions", partition, 0, until=None, most=1 << 20).records
    ]


def test_no_position_is_passed_over_because_the_client_delivers_a_later_one(client: Client) -> None:
    """The client is told to read again from there, and nothing after the hole is taken until it has; other partitions go on."""
    log = assigned(client)
    log.take([*records(0, range(2)), *records(0, range(5, 7)), *records(1, range(2))])
    assert (client.sought, positions(log), positions(log, 1)) == ([(0, 2)], [0, 1], [0, 1])
    log.take(records(0, range(2, 7)))
    assert (client.sought, positions(log)) == ([(0, 2)], [2, 3, 4, 5, 6])


def test_positions_without_records_are_passed_over_once_the_client_says_so_twice(client: Client) -> None:
    """As after the end of a transaction. Single such positions are believed from then on, longer stretches are asked for again."""
    log = assigned(client)
    log.take(records(0, range(1, 3)))
    assert (client.sought, positions(log)) == ([(0, 0)], [])
    log.take(records(0, range(1, 3)))
    log.take(records(0, range(4, 6)))
    assert (client.sought, positions(log)) == ([(0, 0)], [1, 2, 4, 5])
    log.take(records(0, range(9, 10)))
    assert client.sought == [(0, 0), (0, 6)]
    log.take(records(0, range(9, 10)))
    assert (client.sought, positions(log)) == ([(0, 0), (0, 6)], [9])


def test_a_consumer_takes_nothing_of_the_assignment_that_follows_its_own(client: Client) -> None:
    """The partition was lost and has come back: what is read now is the next consumer's, and so are commits."""
    log = assigned(client)
    before = log.of("predictions", 0)
    log.release([("predictions", 0)])
    log.assign([(TopicPartition("predictions", 0, 3, ""), 0)])
    log.take(records(0, range(3, 6)))
    assert not before.wait("predictions", 0, 3, 0)
    with pytest.raises(Retryable, match="is not assigned to this process any more"):
        before.read("predictions", 0, 0, until=None, most=1 << 20)
    with pytest.raises(Retryable, match="is not assigned to this process any more"):
        before.commit("predictions", 0, CommittedPosition(1, None))
    assert (before.committed("predictions", 0).next, log.of("predictions", 0).committed("predictions", 0).next) == (0, 3)
    assert positions(log) == [3, 4, 5]


def test_a_commit_that_the_client_does_not_answer_is_said_to_be_of_kafka(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits for brokers that are away may say nothing itself, until they are back."""
    log = assigned(client)
    monkeypatch.setattr(kafka_log, "_PATIENCE", 0.01)
    with pytest.raises(Retryable, match="Kafka has not committed the offset in predictions 0"):
        log.of("predictions", 0).commit("predictions", 0, CommittedPosition(1, None))
