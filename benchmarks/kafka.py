"""What an event costs from Kafka to durable raw events and panes in a ClickHouse server: `python benchmarks/kafka.py`.

There is one partition with one event a message, and this process runs on one core. The servers have the other cores, and their CPU time has a column of its own. Consuming
alone, and consuming with decoding, are measured in the same run, to compare them with all of ingest.
"""

from __future__ import annotations

import os
import resource
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer as Client
from confluent_kafka import Producer, TopicPartition
from material.measure import Cost, cost, one_core, options, profiled, progress, table
from material.stream import MODEL, bodies, contract

from compose.servers.clickhouse import ClickHouse
from compose.servers.kafka import Kafka
from core import moment
from core.contract import Contract
from ingest.consumer import Consumer, Limits
from ingest.decoding import Decode
from ingest.first_seen import FirstSeen
from ingest.kafka.connection import Connection
from ingest.kafka.group import Group
from ingest.kafka.topics import create
from ingest.ports import Log
from ingest.record import Batch, Events, LogRecord, Topic
from ingest.summarise import Summarise
from storage.facts.http import Http
from storage.facts.migration import migrate
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from watchkeeper.settings.settings import Settings

START = 1_700_000_000_000_000
HEADS = ("", "events/s", "CPU us/event", "x (consume + decode)", "server CPU us/event", "wall us/event")
_TICKS = os.sysconf("SC_CLK_TCK")


class Way:
    """A broker with the events, a store, and what reads and writes them here."""

    def __init__(self, folder: Path, rows: int, kafka: Kafka, clickhouse: ClickHouse, known: Contract) -> None:
        self.rows, self._folder, self._clickhouse, self._known = rows, folder, clickhouse, known
        self._contracts = {known.model: known}.get
        self.connection = Connection(bootstrap=kafka.bootstrap)
        create(self.connection, partitions=1, replication=1)
        producer = Producer(self.connection.producer())
        for body in bodies(rows, START, 2 * moment.HOUR):
            for line in body.splitlines():
                producer.produce(self.connection.topic("predictions"), line)
            producer.flush()

    def consume(self, batches: Callable[[list[LogRecord]], object]) -> None:
        """Read the topic from its beginning to its end, in batches of records."""
        client = Client(self.connection.consumer("bench"))
        client.assign([TopicPartition(self.connection.topic("predictions"), 0, 0)])
        seen, records = 0, list[LogRecord]()
        while seen < self.rows:
            first = client.poll(1)
            messages = [] if first is None else [first, *client.consume(10_000, 0)]
            records += [
                LogRecord(m.offset() or 0, m.timestamp()[1] * 1_000, "json", m.value() or b"") for m in messages if m.error() is None
            ]
            if len(records) >= 10_000 or seen + len(records) == self.rows:
                batches(records)
                seen, records = seen + len(records), []
        client.close()

    def decode(self, records: list[LogRecord]) -> Events:
        """Decode a batch."""
        return Decode(self._contracts)(Batch("predictions", 0, records[0].position, records[-1].position, records))

    def steps(self) -> Callable[[list[LogRecord]], None]:
        """All that is done to a batch, one after the other in this thread, into a database of its own: for the profile."""
        engine = Http(self._clickhouse.url, database="profile")
        migrate(engine)
        writer, written = Writer(engine), [0]
        first, summarise = FirstSeen(Raw(engine), 0, 0, lambda: written[0]), Summarise()

        def durable(records: list[LogRecord]) -> None:
            events = summarise(first(self.decode(records)))
            writer.predictions(events.predictions, 0, events.batch.token)
            writer.panes(events.panes, events.batch.token)
            written[0] = events.batch.last + 1

        return durable

    def durable(self, attempt: int) -> Cost:
        """The whole way by a member of the group into a database of its own, until all is committed; CPU of this process and wall."""
        engine = Http(self._clickhouse.url, database=f"bench{attempt}")
        migrate(engine)
        writer, raw = Writer(engine), Raw(engine)
        ended = threading.Event()

        def build(log: Log, topic: Topic, partition: int, limits: Limits) -> Consumer:
            def written(_: object) -> None:
                if topic == "predictions" and consumer.written >= self.rows:
                    ended.set()

            consumer = Consumer(log, writer, raw, self._contracts, topic, partition, limits, written=written)
            return consumer

        batch = Settings().ingest.batch
        connection = Connection(bootstrap=self.connection.bootstrap, options={"group.id": f"bench{attempt}"})
        group = Group(connection, build, Limits(bytes=batch.bytes, seconds=batch.wait_ms / 1_000))
        with cost() as spent:
            group.start()
            if not ended.wait(300):
                raise TimeoutError("; ".join(group.problems))
        group.stop()
        engine.close()
        return spent


def cpu_of(pid: int) -> float:
    """CPU seconds of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/kafka.py --rows 50000 --profile")
    parser.add_argument("--rows", type=int, default=200_000, help="events (200000)")
    parser.add_argument("--profile", action="store_true", help="print the functions that take most of the full way")
    given = parser.parse_args()
    rows: int = given.rows
    with tempfile.TemporaryDirectory() as name, Kafka(Path(name) / "kafka") as kafka, ClickHouse(Path(name) / "clickhouse") as clickhouse:
        one_core()
        known, _ = contract()
        progress("sending")
        way = Way(Path(name), rows, kafka, clickhouse, known)
        found: list[tuple[str, Cost, float]] = []
        stages: dict[str, Callable[[list[LogRecord]], object]] = {"consume": lambda _: None, "consume and decode": way.decode}
        for stage, work in stages.items():
            progress(stage)
            costs = []
            for _ in range(2):
                with cost() as spent:
                    way.consume(work)
                costs.append(spent)
            found.append((stage, min(costs, key=lambda one: one.cpu), 0.0))
        for attempt in range(2):
            progress(f"the full way ({attempt + 1})")
            before = cpu_of(clickhouse.pid)
            spent = way.durable(attempt)
            found.append((f"to durable raw and panes ({attempt + 1})", spent, cpu_of(clickhouse.pid) - before))
        base = found[1][1].cpu
        table(
            f"{rows:,} events of {MODEL} from one partition, 20 features, 20 segments; this process on one core",
            HEADS,
            [
                (
                    stage,
                    f"{rows / one.wall:,.0f}",
                    f"{1e6 * one.cpu / rows:.2f}",
                    f"{one.cpu / base:.2f}",
                    f"{1e6 * server / rows:.2f}" if server else "",
                    f"{1e6 * one.wall / rows:.2f}",
                )
                for stage, one, server in found
            ],
        )
        print(f"Memory of this process at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        print("To reach: the full way in at most 3 x (consume and decode).")
        if given.profile:
            steps = way.steps()
            with profiled(wanted=True):
                way.consume(steps)


if __name__ == "__main__":
    main()
