"""The ingest group on a real broker: every event that was sent is in the store once, whichever process had the partition and whatever was interrupted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from compose.servers.kafka import Kafka
from core.contract import Contract
from core.error import Retryable
from ingest.consumer import Consumer, Limits
from ingest.kafka.connection import Connection, GroupProtocol
from ingest.kafka.ends import Ends
from ingest.kafka.group import Group
from ingest.kafka.offsets import FIRST
from ingest.kafka.topics import create
from ingest.ports import Log
from ingest.record import TOPICS, Events, Topic
from storage.facts.chdb import Chdb
from storage.facts.panes import Panes
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.acceptance import backend
from tests.services.fixture import KafkaAt
from watchkeeper.free_port import free_port

pytestmark = pytest.mark.slow

PARTITIONS = 3


class Frail(Writer):
    """A writer that cannot write panes while it is `broken`."""

    broken = False

    def panes(self, *given: Any, **named: Any) -> None:
        if self.broken:
            raise Retryable("the store is away")
        super().panes(*given, **named)


class Stand:
    """A broker's topics, a store, and members of the group on them."""

    def __init__(self, connection: Connection, engine: Chdb) -> None:
        self.held = False  # whether no batch may pass
        self.connection, self.engine, self.writer = connection, engine, Frail(engine)
        self.contract: Contract = backend.contract("m")
        self.ends = Ends(connection, fresh=0.0)  # nothing of before what was sent just now
        self._producer = Producer(connection.producer())
        self._groups: list[Group] = []
        create(connection, partitions=PARTITIONS, replication=1)

    def send(self, ids: range, producer: Producer | None = None) -> None:
        """Predictions with these ids, and a label for each."""
        producer = producer or self._producer
        for i in ids:
            head = {"prediction_id": f"p{i}", "model": "m", "ts": 1_700_000_000_000 + 1_000 * i}
            prediction = head | {"features": {"x": i % 7, "c": "ab"[i % 2]}, "prediction": i % 2, "score": 0.3}
            for topic, event in (("predictions", prediction), ("labels", head | {"label": 1})):
                producer.produce(self.connection.topic(topic), json.dumps(event), key=f"p{i}")
            producer.poll(0)
        assert producer.flush(300) == 0

    def member(self, memory: int = 256 << 20) -> Group:
        """One more member, started."""

        def build(log: Log, topic: Topic, partition: int, limits: Limits) -> Consumer:
            contracts = {"m": self.contract}.get
            return Consumer(log, self.writer, Raw(self.engine), contracts, topic, partition, limits, checked=self._checked)

        group = Group(self.connection, build, Limits(seconds=0.02), memory)
        group.start()
        self._groups.append(group)
        return group

    def _checked(self, events: Events) -> Events:
        if self.held:
            raise Retryable("held", after=0.05)
        return events

    def counts(self) -> tuple[int, int, int, int, int]:
        """Rows and ids of predictions, rows and ids of labels, and what the panes hold."""
        sql = "SELECT count() AS n, uniqExact(prediction_id) AS ids FROM {} WHERE model = 'm'"
        found = [self.engine.query(sql.format(topic)).to_pylist()[0] for topic in TOPICS]
        return *(row[name] for row in found for name in ("n", "ids")), int(Panes(self.engine).slots(self.contract)[1].sum())

    def remove(self) -> None:
        """Let the broker remove all records, as retention does."""
        topics = [self.connection.topic(topic) for topic in TOPICS]
        all_of = [TopicPartition(topic, partition, -1) for topic in topics for partition in range(PARTITIONS)]
        admin = AdminClient(self.connection.admin())
        for answer in admin.delete_records(all_of).values():
            answer.result(300)

    def close(self) -> None:
        """End all members."""
        for group in self._groups:
            group.stop()
        self.ends.close()


@pytest.fixture(params=["classic", "consumer"])
def stand(request: pytest.FixtureRequest, kafka: KafkaAt, kafka_prefix: str, engine: Chdb) -> Iterator[Stand]:
    protocol: GroupProtocol = request.param
    with closing(Stand(Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix, group_protocol=protocol, session=6), engine)) as held:
        yield held


def second_of(first: Kafka, folder: Path) -> Kafka:
    """A broker that joins the cluster of a running one."""
    port, place = free_port(), "data/meta.properties"
    identity = (first.folder / place).read_text(encoding="utf-8")
    (folder / "data").mkdir(parents=True)
    (folder / place).write_text(re.sub(r"directory\.id=.*\n", "", identity.replace("node.id=1", "node.id=2")), encoding="utf-8")
    voters = re.findall("controller.quorum.voters=.*", (first.folder / "server.properties").read_text(encoding="utf-8"))
    joining = {"node.id": "2", "process.roles": "broker", "listeners": f"PLAINTEXT://127.0.0.1:{port}"}
    return Kafka(folder, port, options=joining | dict(line.split("=", 1) for line in voters))


def positions(group: Group) -> dict[tuple[Topic, int], int]:
    """The next position that a member writes, by topic and partition."""
    told = group.status()["partitions"]
    return {(topic, int(partition)): at for topic in TOPICS for partition, at in told[topic].items()}


def test_everything_is_written_once_and_committed_to_the_end(stand: Stand) -> None:
    """After two thousand predictions and labels over three partitions each there is no lag, no batch under way, and silence after a while."""
    stand.send(range(2_000))
    until(lambda: not stand.ends.caught_up())
    group = stand.member()
    until(stand.ends.caught_up)
    assert stand.counts() == (2_000, 2_000, 2_000, 2_000, 2_000)
    assert group.problems == []
    assert not stand.ends.silent(60)
    until(lambda: stand.ends.silent(0.5))


def test_what_transactions_committed_arrives_and_nothing_else(stand: Stand) -> None:
    """The positions at which a transaction ended or was given up hold no records."""
    producer = Producer({**stand.connection.producer(), "transactional.id": stand.connection.prefix})
    producer.init_transactions(300)
    group = stand.member()
    for part in range(12):
        producer.begin_transaction()
        stand.send(range(100 * part, 100 * part + 100), producer)
        if part % 3 == 1:
            producer.abort_transaction(300)
        else:
            producer.commit_transaction(300)
    until(stand.ends.caught_up)
    assert stand.counts() == (800, 800, 800, 800, 800)
    assert group.problems == []


def test_an_assignment_that_fails_is_begun_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition without a leader yet, as just after it was created, costs a pause, and the thread goes on."""
    asked = list[TopicPartition]()

    class Hasty(AdminClient):
        def list_offsets(self, places: dict[TopicPartition, Any], **given: Any) -> Any:  # type: ignore[override]
            asked.extend(places)
            if len(asked) > PARTITIONS:
                return super().list_offsets(places, **given)
            (answer,) = super().list_offsets({TopicPartition("nowhere", 0): FIRST}, **given).values()
            return dict.fromkeys(places, answer)

    monkeypatch.setattr("ingest.kafka.member.AdminClient", Hasty)
    stand.send(range(50))
    stand.member()
    until(stand.ends.caught_up)
    assert stand.counts() == (50, 50, 50, 50, 50)


def test_a_partition_whose_leader_is_away_holds_up_no_other(tmp_path: Path, engine: Chdb) -> None:
    """A second broker leads the fourth partition of each topic: while it is away the other three are written, and the fourth when it is back."""
    with Kafka(tmp_path / "1") as first, closing(Stand(Connection(bootstrap=first.bootstrap), engine)) as stand:
        until(stand.ends.caught_up)  # so the group's places are on the first broker
        with second_of(first, tmp_path / "2") as second:
            fourth = [NewPartitions(stand.connection.topic(topic), PARTITIONS + 1, replica_assignment=[[2]]) for topic in TOPICS]
            admin = AdminClient(stand.connection.admin())
            for answer in admin.create_partitions(fourth).values():
                answer.result(300)
            stand.send(range(200))
            before = stand.member()
            until(stand.ends.caught_up)
            before.stop()
            stand.send(range(200, 400))
            ends = {place: at.end for place, at in stand.ends.per_partition().items() if place[1] < PARTITIONS}
            second.stop()
            after = stand.member()
            until(lambda: ends.items() <= positions(after).items())
            second.start()
            until(stand.ends.caught_up)
            assert stand.counts() == (400, 400, 400, 400, 400)


def test_a_batch_that_broke_off_is_finished_by_the_next_member(stand: Stand) -> None:
    """If a member ends before the panes could be written, its intent stays, and the next member writes exactly that batch, however much has come since."""
    stand.writer.broken = True
    stand.send(range(500))
    first = stand.member()
    until(lambda: any("away" in problem for problem in first.problems))
    first.stop()
    assert not stand.ends.caught_up()
    assert any(at.begun for at in stand.ends.per_partition().values())
    stand.writer.broken = False
    stand.send(range(500, 900))
    stand.member()
    until(stand.ends.caught_up)
    assert stand.counts() == (900, 900, 900, 900, 900)


def test_partitions_move_between_members_without_loss_or_doubles(stand: Stand) -> None:
    """Members come and go while events come; a second one takes partitions of each topic, and gives them back when it leaves."""
    members = [stand.member()]
    for round_ in range(4):
        stand.send(range(500 * round_, 500 * (round_ + 1)))
        if round_ % 2 == 0:
            members.append(stand.member())
            until(lambda: all(all(member.status()["partitions"].values()) for member in members))
        else:
            members.pop().stop()
    until(stand.ends.caught_up)
    assert stand.counts() == (2_000, 2_000, 2_000, 2_000, 2_000)


def test_a_partition_that_was_paused_and_moved_away_is_read_on_when_it_comes_back(stand: Stand) -> None:
    """If every partition is paused for want of memory, those that another member takes and gives back are fetched again."""
    stand.held = True
    stand.send(range(1_000))
    first = stand.member(memory=40_000)
    until(lambda: first.status()["waiting_bytes"] > 40_000)
    second = stand.member()
    until(lambda: all(all(member.status()["partitions"].values()) for member in (first, second)))
    second.stop()
    stand.held = False
    until(stand.ends.caught_up)
    assert stand.counts() == (1_000, 1_000, 1_000, 1_000, 1_000)


def test_what_retention_removed_before_it_was_read_is_counted(stand: Stand) -> None:
    """If a hundred records of each topic are gone when the next member comes, it says so, and goes on with the records after them."""
    stand.send(range(100))
    first = stand.member()
    until(stand.ends.caught_up)
    first.stop()
    stand.send(range(100, 200))
    stand.remove()
    stand.send(range(200, 300))
    second = stand.member()
    until(stand.ends.caught_up)
    assert second.status()["lost"] == {"predictions": 100, "labels": 100}
    assert stand.counts() == (200, 200, 200, 200, 200)


def until(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait until something holds. Brokers that have just started may not be able to say."""
    end = time.monotonic() + seconds
    while True:
        with suppress(Retryable):
            if holds():
                return
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)
