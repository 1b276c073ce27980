"""Metrics of ingest: how large batches are, how long each part of ingest takes, and how old the oldest waiting record is."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import pyarrow as pa
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import moment
from core.block import Labels, Predictions
from core.clock import Clock
from core.contract import Contract
from ingest.ports import CommittedPosition, Log, Store
from ingest.record import TOPICS, Events, LogStretch, PartitionKey, Topic

_SHORT = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]  # seconds
_LONG = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600]

Begun = dict[
    tuple[Topic, int, int], tuple[int, float]
]  # by topic, partition and first position: when the log took that record, when it was read
Rows = Sequence[Mapping[str, str | int]]


class IngestMetrics(Collector):
    """The metrics of a process that ingests. `log` and `store` are given to its consumers; `written` is called for each batch that is durable.

    `held` are the partitions that are ours now: those that have gone are not counted as waiting.
    """

    def __init__(self, clock: Clock, held: Callable[[], Collection[PartitionKey]]) -> None:
        self._clock, self._held = clock, held
        self._begun: Begun = {}  # batches under way
        self._rows = Counter("watchkeeper_ingested_rows", "Rows written.", ["topic"], registry=None)
        self._rejected = Counter("watchkeeper_ingest_rejected_rows", "Rows that could not be used.", ["topic"], registry=None)
        self._duplicates = Counter("watchkeeper_ingest_duplicate_rows", "Rows whose id was there before.", ["topic"], registry=None)
        self._outside = Counter(
            "watchkeeper_ingest_outside_class_rows",
            "Rows with a prediction or label that is none of the model's classes.",
            ["topic"],
            registry=None,
        )
        self._records = _histogram("watchkeeper_ingest_batch_records", "Records a batch.", "topic", [10**n for n in range(6)])
        self._bytes = _histogram("watchkeeper_ingest_batch_bytes", "Bytes a batch.", "topic", [10**n for n in range(2, 9)])
        self._seconds = _histogram(
            "watchkeeper_ingest_batch_seconds",
            "From reading a batch to its rows being durable, attempts that failed included.",
            "topic",
            _LONG,
        )
        self._delay = _histogram(
            "watchkeeper_ingest_delay_seconds",
            "From the log's taking the last record of a batch to its rows being durable.",
            "topic",
            _LONG,
        )
        self._inserts = _histogram("watchkeeper_insert_seconds", "Duration of an insert that succeeded.", "table", _SHORT)

    def log(self, log: Log) -> Log:
        """A log that notes what is read from it."""
        return _Read(log, self._begun)

    def store(self, store: Store) -> Store:
        """A store that measures the time of inserts."""
        return _Timed(store, self._inserts)

    def written(self, events: Events) -> None:
        """A batch is durable."""
        batch, topic = events.batch, events.batch.topic
        self._rows.labels(topic).inc(events.rows.total())
        self._rejected.labels(topic).inc(len(events.rejects))
        self._duplicates.labels(topic).inc(sum(events.duplicates.values()))
        self._outside.labels(topic).inc(sum(events.outside.values()))
        if batch.records:
            _, began = self._begun.pop((topic, batch.partition, batch.records[0].position), (0, time.monotonic()))
            self._records.labels(topic).observe(len(batch.records))
            self._bytes.labels(topic).observe(sum(len(record.body) for record in batch.records))
            self._seconds.labels(topic).observe(time.monotonic() - began)
            self._delay.labels(topic).observe(max(0.0, (self._clock.now() - batch.records[-1].logged) / moment.SECOND))

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering makes no queries."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        for measure in (
            self._rows,
            self._rejected,
            self._duplicates,
            self._outside,
            self._records,
            self._bytes,
            self._seconds,
            self._delay,
            self._inserts,
        ):
            yield from measure.collect()
        waiting = GaugeMetricFamily(
            "watchkeeper_ingest_lag_seconds",
            "Age of the oldest record that was read and is not written; 0 if none waits.",
            labels=["topic"],
        )
        held, now, begun = self._held(), self._clock.now(), self._begun.copy()
        for topic in TOPICS:
            oldest = min((logged for (of, part, _), (logged, _) in begun.items() if of == topic and (of, part) in held), default=now)
            waiting.add_metric([topic], max(0.0, (now - oldest) / moment.SECOND))
        yield waiting


class _Read:
    """A log that notes which records it hands out."""

    def __init__(self, log: Log, begun: Begun) -> None:
        self._log, self._begun = log, begun

    def committed(self, topic: Topic, partition: int) -> CommittedPosition:
        """As the log has it; what was under way here before is not any more."""
        for of in [of for of in self._begun.copy() if of[:2] == (topic, partition)]:  # a copy, because other threads read meanwhile
            self._begun.pop(of, None)
        return self._log.committed(topic, partition)

    def commit(self, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Commit."""
        self._log.commit(topic, partition, committed)

    def read(self, topic: Topic, partition: int, start: int, *, until: int | None, most: int) -> LogStretch:
        """Read, and note when the first record was logged."""
        found = self._log.read(topic, partition, start, until=until, most=most)
        if found.records:
            self._begun[topic, partition, found.records[0].position] = found.records[0].logged, time.monotonic()
        return found

    def wait(self, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait."""
        return self._log.wait(topic, partition, position, seconds)


class _Timed:
    """A store that measures the time of inserts, by table."""

    def __init__(self, store: Store, seconds: Histogram) -> None:
        self._store, self._seconds = store, seconds

    def predictions(self, blocks: Sequence[tuple[Contract, Predictions]], partition: int, token: str | None) -> None:
        """Raw predictions."""
        self._time("predictions", blocks, lambda: self._store.predictions(blocks, partition, token))

    def labels(self, blocks: Mapping[str, Labels], partition: int, token: str | None) -> None:
        """Raw labels."""
        self._time("labels", blocks, lambda: self._store.labels(blocks, partition, token))

    def panes(self, summaries: Sequence[tuple[Contract, pa.Table]], token: str | None, generation: int = 0) -> None:
        """Input panes."""
        self._time("panes", summaries, lambda: self._store.panes(summaries, token, generation))

    def dead_letters(self, rows: Rows) -> None:
        """Rows that could not be used."""
        self._time("dead_letters", rows, lambda: self._store.dead_letters(rows))

    def waiting(self, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Events of models without a contract."""
        self._time("waiting", rows, lambda: self._store.waiting(rows))

    def batches(self, rows: Sequence[Mapping[str, str | int | list[int]]]) -> None:
        """What a batch held."""
        self._time("batches", rows, lambda: self._store.batches(rows))

    def _time(self, table: str, given: Collection[object], insert: Callable[[], None]) -> None:
        began = time.monotonic()
        insert()
        if given:
            self._seconds.labels(table).observe(time.monotonic() - began)


def _histogram(name: str, text: str, label: str, buckets: Sequence[float]) -> Histogram:
    return Histogram(name, text, [label], buckets=buckets, registry=None)
