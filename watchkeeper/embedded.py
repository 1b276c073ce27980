"""The embedded mode: log, ingest, evaluation, alerts, delivery, API and pages as threads of one process.

With chDB only one process may use a data folder, and it must not fork. So everything that needs the facts is in this process.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from prometheus_client.registry import Collector

from alerts.failure import failures
from alerts.policy.watch import PolicyWatch
from alerts.system_watch import SystemWatch
from core import moment
from core.clock import Clock, SystemClock
from core.disk import Disk, filling
from core.error import ConfigError
from core.struct_types import prepare
from ingest.consumer import Consumer, Limits
from ingest.decode.payload import Kind
from ingest.embedded_log import EmbeddedLog
from ingest.record import TOPICS, Events
from watchkeeper import listen, wiring
from watchkeeper.api.ports import AnyDecoded, Topic
from watchkeeper.change.purge import Resume
from watchkeeper.importing import importing
from watchkeeper.learning import waiting_advice
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores
from watchkeeper.telemetry import journal
from watchkeeper.telemetry.evaluation_metrics import EvaluationMetrics
from watchkeeper.telemetry.gauges import Notifications
from watchkeeper.telemetry.ingest_metrics import IngestMetrics


class Embedded:
    """Everything but the HTTP server. `start` starts all parts, `close` ends them in reverse order. Unfinished work is found again at the next start."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        prepare()
        self.settings = settings
        self.clock = clock or SystemClock()
        folder = settings.data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.stores = Stores(settings, self.clock)
        self.stores.migrate()
        self.log = EmbeddedLog(folder / "log.sqlite")
        self.deliverer = wiring.deliverer(settings, self.stores, self.clock)
        self.policy = PolicyWatch(
            self.stores.control, self.clock, settings.alerts.notify_horizon, address=settings.public, told=self.deliverer.wake
        )
        self.retraining = wiring.retraining(settings, self.stores, self.clock, told=self._told)
        self._purges = Resume(self.stores)
        self._system = SystemWatch(self.stores.control, self.problems, self.clock, address=settings.public, wake=self.deliverer.wake)
        self._began = time.monotonic()
        self._flow = IngestMetrics(self.clock, lambda: {(topic, 0) for topic in TOPICS})
        self._pace = EvaluationMetrics(self.clock, lambda: self.scheduler.owners)
        self.scheduler = wiring.scheduler(
            settings, self.stores, self.clock, self.silent, self._told, on_step=self._pace.observe, positions=self._positions
        )
        limits = Limits(bytes=settings.ingest.batch.bytes, seconds=settings.ingest.batch.wait_ms / 1_000)
        self.consumers = {
            topic: Consumer(
                self._flow.log(self.log),
                self._flow.store(self.stores.writer),
                self.stores.raw,
                self.stores.control.contract,
                topic,
                limits=limits,
                written=self._written,
                waiting=wiring.waiting(settings, self.stores, topic, 0),
            )
            for topic in TOPICS
        }

    def start(self) -> None:
        """Begin to consume, evaluate and deliver."""
        for consumer in self.consumers.values():
            consumer.start()
        self.scheduler.start()
        self.policy.start()
        self._system.start()
        self.deliverer.start()
        self.retraining.start()
        self._purges.start()

    def close(self) -> None:
        """Stop, in reverse order."""
        self._purges.stop()
        self._system.stop()
        self.retraining.stop()
        self.scheduler.stop()
        for consumer in self.consumers.values():
            consumer.stop()
        self.policy.stop()
        self.deliverer.stop()
        self.log.close()
        self.stores.close()

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> Future[Any]:
        """Append an unpacked request to the log; done when it is durable. Raises Retryable if too much is waiting."""
        return self.log.append(topic, kind, body, now, decoded)

    def appended(self) -> None:
        """Note that something was appended: the status is not quiet until it is evaluated."""
        self.scheduler.note()

    def call(self) -> None:
        """Note that something was defined: there may be work for the owners."""
        self.scheduler.call()
        self.policy.wake()
        self.retraining.wake()

    def _told(self) -> None:
        """There is something to decide, or to deliver."""
        self.policy.wake()
        self.deliverer.wake()

    def _positions(self) -> dict[Hashable, tuple[int, int]]:
        """By topic the position after the last record, and the next one that is not committed."""
        return {topic: (self.log.end(topic), consumer.written) for topic, consumer in self.consumers.items()}

    def silent(self) -> bool:
        """Whether the log has been read to its end and nothing has been appended for `ingest.silence`."""
        caught_up = all(consumer.written >= self.log.end(topic) for topic, consumer in self.consumers.items())
        waited = time.monotonic() - max(self.log.appended, self._began)
        return caught_up and waited * moment.SECOND >= self.settings.ingest.silence

    def obstacles(self) -> list[str]:
        """Sentences that say what stops the work: a store that cannot be written or read."""
        return self._ingest_problems() + self.scheduler.obstacles()

    def problems(self) -> list[str]:
        """Sentences that say what is wrong: obstacles, monitors that cannot be evaluated, destinations that do not answer, a disk that is filling."""
        usage = shutil.disk_usage(self.settings.data)
        full = filling([Disk(str(self.settings.data), usage.free, usage.total)])
        return self._ingest_problems() + self.scheduler.problems() + failures(self.stores.control) + full

    def status(self, age: float = 0.0) -> dict[str, Any]:
        """What `GET /v1/status` says: whether the stream is quiet, the progress of ingest and evaluation, and problems."""
        totals = self.stores.batches.totals()
        ingest = {
            topic: {
                "end": self.log.end(topic),
                "written": consumer.written,
                "lag": self.log.end(topic) - consumer.written,
                "rows": totals.get(topic, {}).get("rows", 0),
                "duplicates": totals.get(topic, {}).get("duplicates", 0),
                "rejected": totals.get(topic, {}).get("rejected", 0),
            }
            for topic, consumer in self.consumers.items()
        }
        return {
            "quiet": self.scheduler.quiet,
            "version": version("watchkeeper"),
            "ingest": ingest,
            "evaluate": self.scheduler.status(),
            "problems": self.problems(),
            "advice": [*self.scheduler.advice(), *waiting_advice(self.stores)],
        }

    def collectors(self) -> Sequence[Collector]:
        """Batches and inserts, watermarks and delays, notifications."""
        return [self._flow, self._pace, Notifications(self.stores.control.delivery_counts)]

    def tag(self) -> str:
        """A text that changes when anything that can be read has changed."""
        return f"{self._began:.3f}-{self.scheduler.calls}-{self.policy.decisions}-{self.retraining.steps}-{self.scheduler.status()['readings']}"

    def _written(self, events: Events) -> None:
        """A batch is durable: there is work for the owners of its models."""
        self._flow.written(events)
        for model in events.rows:
            self.scheduler.call(model)

    def _ingest_problems(self) -> list[str]:
        return [f"ingest of {topic}: {consumer.problem}" for topic, consumer in self.consumers.items() if consumer.problem]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def run(settings: Settings) -> None:
    """Run everything in this process until SIGTERM or Ctrl-C."""
    with importing():
        from watchkeeper.application import create_application  # it imports Dash, which takes a second

    if settings.kafka.bootstrap is not None:
        raise ConfigError(
            "`watchkeeper up` is the whole in one process, with a log of its own, and kafka.bootstrap is set",
            remedy="unset it, or run the processes of a cluster: `watchkeeper serve`, `ingest`, `evaluate` and `deliver`",
        )

    with listen.listening(settings) as listener:
        journal.configure_logging(settings.log_level, settings.log_format)
        backend = Embedded(settings)
        application = create_application(backend)  # before threads run: they and Dash import modules when they first need them
        with backend:
            listen.serve(application, settings, listener)
