"""`watchkeeper ingest`: reads events from the topics, and writes raw events and panes. Several may run; the consumer group gives each its partitions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from prometheus_client.registry import Collector

from core.clock import Clock
from ingest.consumer import Consumer, Limits
from ingest.dead_letter import letters
from ingest.halt import Halt
from ingest.kafka.connection import Connection
from ingest.kafka.group import Group
from ingest.kafka.producer import Publisher
from ingest.kafka.realign import realign
from ingest.ports import Log
from ingest.record import TOPICS, Events, Topic
from storage.facts.diagnosis import reached
from watchkeeper import wiring
from watchkeeper.liveness.probe import ServerProbe
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores
from watchkeeper.telemetry.ingest_metrics import IngestMetrics
from watchkeeper.telemetry.process_metrics import StatusMetrics

_log = logging.getLogger(__name__)

_FIGURES = {
    "partitions": ("watchkeeper_ingest_partitions", "Partitions that are assigned to this process."),
    "waiting_bytes": ("watchkeeper_ingest_waiting_bytes", "Bytes that were read and are not written yet, as ingest.memory counts them."),
    "lost": ("watchkeeper_ingest_lost_records", "Records that the topic's retention removed before they were read."),
    "rebalances": ("watchkeeper_ingest_rebalances", "How often partitions were given or taken since the start."),
}


class IngestPart:
    """The part of an `ingest` process. Its constructor raises Fatal if the facts come from another log."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> None:
        for (topic, partition), at in realign(brokers, reached(stores.engine), lost=True).items():
            _log.warning("the group had no offset in %s %d; it is read on from %d, where the facts end", topic, partition, at)
        self._stores = stores
        self._servers = ServerProbe(stores.engine, stores.control)
        self._publisher = Publisher(brokers)
        self._letters = settings.ingest.dead_letters
        limits = Limits(bytes=settings.ingest.batch.bytes, seconds=settings.ingest.batch.wait_ms / 1_000)
        self._group = Group(brokers, self._consumer, limits, settings.ingest.memory)
        self._flow = IngestMetrics(clock, self._held)

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
        """Sentences that say what keeps partitions from being read or written, such as a store that is away."""
        return [*self._group.problems, *self._servers.away()]

    def collectors(self) -> Sequence[Collector]:
        """Batches, rows, delays; partitions and what waits."""
        return [self._flow, StatusMetrics(self._figures, _FIGURES, "topic")]

    def status(self) -> dict[str, Any]:
        """As `Group.status` has it."""
        return {"ingest": self._group.status()}

    def broken(self) -> str | None:
        """Why this process must end: the thread that polls has ended for good. None if it need not."""
        return None if self._group.running else "the thread that reads Kafka has ended"

    def _figures(self) -> dict[str, Any]:
        status = self._group.status()
        return {**status, "partitions": {topic: len(partitions) for topic, partitions in status["partitions"].items()}}

    def _held(self) -> set[tuple[Topic, int]]:
        return {(topic, int(partition)) for topic in TOPICS for partition in self._group.status()["partitions"][topic]}

    def _consumer(self, log: Log, topic: Topic, partition: int, limits: Limits) -> Consumer:
        return Consumer(
            self._flow.log(log),
            self._flow.store(self._stores.writer),
            self._stores.raw,
            self._stores.control.contract,
            topic,
            partition,
            limits,
            written=self._written,
            checked=Halt(self._letters.share, self._letters.of),
            waiting=wiring.waiting(self._stores.settings, self._stores, topic, partition),
            dead=lambda events: self._publisher.dead_letters(letters(events)),
        )

    def _written(self, events: Events) -> None:
        """A batch is durable: count it, and send ticks for its models."""
        batch = events.batch
        self._flow.written(events)
        for model, rows in events.rows.items():
            tick = {"topic": batch.topic, "partition": batch.partition, "first": batch.first, "last": batch.last, "rows": rows}
            self._publisher.tick(model, msgspec.json.encode(tick))
