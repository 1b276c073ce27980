"""`watchkeeper ingest`: from the topics to raw events and panes. Many may run: the group gives each its partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from prometheus_client import Counter, Histogram
from prometheus_client.registry import Collector

from core import moment
from core.clock import Clock
from ingest.consumer import Consumer, Limits
from ingest.dead_letter import letters
from ingest.halt import Halt
from ingest.kafka.connection import Connection
from ingest.kafka.group import Group
from ingest.kafka.producer import Publisher
from ingest.record import Events, Topic
from ingest.seam import Log
from watchkeeper.cluster.lookout import Servers
from watchkeeper.cluster.vital import Figures
from watchkeeper.settings import Settings
from watchkeeper.stores import Stores

_FIGURES = {
    "partitions": ("watchkeeper_ingest_partitions", "Partitions that are assigned to this process."),
    "waiting_bytes": ("watchkeeper_ingest_waiting_bytes", "Bytes that were read and wait to be cut into batches."),
    "rebalances": ("watchkeeper_ingest_rebalances", "How often partitions were given or taken since the start."),
}


class Ingest:
    """The part of an `ingest` process."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> None:
        self._stores, self._clock = stores, clock
        self._servers = Servers(stores.engine, stores.control)
        self._publisher = Publisher(brokers)
        self._letters = settings.ingest.dead_letters
        limits = Limits(bytes=settings.ingest.batch.bytes, seconds=settings.ingest.batch.wait_ms / 1_000)
        self._group = Group(brokers, self._consumer, limits, settings.ingest.memory)
        self._rows = Counter("watchkeeper_ingested_rows", "Rows written.", ["topic"], registry=None)
        self._rejected = Counter("watchkeeper_ingest_rejected_rows", "Rows that could not be used.", ["topic"], registry=None)
        self._duplicates = Counter("watchkeeper_ingest_duplicate_rows", "Rows whose id was there before.", ["topic"], registry=None)
        self._batches = Histogram(
            "watchkeeper_ingest_batch_records", "Records a batch.", ["topic"], buckets=[10**n for n in range(6)], registry=None
        )
        self._delay = Histogram(
            "watchkeeper_ingest_delay_seconds",
            "From the log's taking the last record of a batch to its rows being durable.",
            ["topic"],
            buckets=[0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600],
            registry=None,
        )

    def start(self) -> None:
        """Join the group."""
        self._servers.start()
        self._group.start()

    def close(self) -> None:
        """Write what is under way, commit it, and leave the group."""
        self._group.stop(15.0)
        self._publisher.close()
        self._servers.stop()

    def application(self) -> FastAPI | None:
        """None: health and metrics only."""
        return None

    def problems(self) -> Sequence[str]:
        """What keeps partitions from being read or written; the stores, if they are away."""
        return [*self._group.problems, *self._servers.away()]

    def collectors(self) -> Sequence[Collector]:
        """Batches, rows, delays; partitions and what waits."""
        figures = Figures(self._figures, _FIGURES, "topic")
        return [self._rows, self._rejected, self._duplicates, self._batches, self._delay, figures]

    def status(self) -> dict[str, Any]:
        """As `Group.status` has it."""
        return {"ingest": self._group.status()}

    def broken(self) -> str | None:
        """Never: the group begins anew."""
        return None

    def _figures(self) -> dict[str, Any]:
        told = self._group.status()
        return {**told, "partitions": {topic: len(partitions) for topic, partitions in told["partitions"].items()}}

    def _consumer(self, log: Log, topic: Topic, partition: int, limits: Limits) -> Consumer:
        return Consumer(
            log,
            self._stores.writer,
            self._stores.raw,
            self._stores.control.contract,
            topic,
            partition,
            limits,
            written=self._written,
            checked=Halt(self._letters.share, self._letters.of),
            dead=lambda events: self._publisher.dead_letters(letters(events)),
        )

    def _written(self, events: Events) -> None:
        """A batch is durable: count it, and tell the owners of its models."""
        batch = events.batch
        models = {**{contract.model: len(block) for contract, block in events.predictions}, **{m: len(b) for m, b in events.labels.items()}}
        self._rows.labels(batch.topic).inc(sum(models.values()))
        self._rejected.labels(batch.topic).inc(len(events.rejects))
        self._duplicates.labels(batch.topic).inc(sum(events.duplicates.values()))
        if batch.records:
            self._batches.labels(batch.topic).observe(len(batch.records))
            self._delay.labels(batch.topic).observe((self._clock.now() - batch.records[-1].logged) / moment.SECOND)
        for model, rows in models.items():
            told = {"topic": batch.topic, "partition": batch.partition, "first": batch.first, "last": batch.last, "rows": rows}
            self._publisher.tick(model, msgspec.json.encode(told))
