"""`watchkeeper serve`: the API and the pages of a cluster. Several may run; none keeps data of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from fastapi import FastAPI
from prometheus_client.registry import Collector

from alerts.system_watch import SystemWatch
from core.clock import Clock
from ingest.decode.payload import Kind
from ingest.kafka.connection import Connection
from ingest.kafka.ends import Ends
from ingest.kafka.producer import Publisher
from watchkeeper.api.ports import AnyDecoded, Topic
from watchkeeper.change.purge import Resume
from watchkeeper.importing import importing
from watchkeeper.liveness.cluster_status import ClusterStatus
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores


class ServePart:
    """The part of a `serve` process: the backend of API and pages for the whole cluster."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> None:
        self.settings, self.stores, self.clock = settings, stores, clock
        self._publisher = Publisher(brokers)
        self._ends = Ends(brokers, fresh=0.0)
        self._purges = Resume(stores)
        self._standing = ClusterStatus(stores, clock, self._ends)
        self._system = SystemWatch(stores.control, self._standing.problems, clock, address=settings.public)

    def start(self) -> None:
        """Begin to poll the cluster's status, tell its problems, and finish purges that were interrupted."""
        self._standing.start()
        self._purges.start()
        self._system.start()

    def close(self) -> None:
        """Finish the appends under way."""
        self._system.stop()
        self._purges.stop()
        self._standing.stop()
        self._publisher.close()
        self._ends.close()

    def application(self) -> FastAPI | None:
        """The API and the pages."""
        with importing():
            from watchkeeper.application import create_application  # it imports Dash, which takes a second

        return create_application(self)

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> Future[Any]:
        """Send the accepted rows to the brokers; done when all in-sync replicas have them. Raises Retryable if too much is waiting."""
        return self._publisher.append(topic, body, kind, decoded, now)

    def appended(self) -> None:
        """Nothing: the brokers' offsets show it."""

    def call(self) -> None:
        """Nothing: the owners poll for definitions."""

    def obstacles(self) -> list[str]:
        """Sentences that say what keeps this process from serving: servers that are away."""
        return self._standing.away()

    def problems(self) -> Sequence[str]:
        """The same."""
        return self.obstacles()

    def collectors(self) -> Sequence[Collector]:
        """None: the application has its own."""
        return ()

    def status(self, age: float = 0.0) -> dict[str, Any]:
        """The status of the whole cluster."""
        return self._standing.status(age)

    def tag(self) -> str:
        """A text that changes when anything that can be read has changed."""
        return self._standing.tag()

    def broken(self) -> str | None:
        """Never."""
        return None
