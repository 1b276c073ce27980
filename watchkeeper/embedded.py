"""The embedded whole in one process: log, ingest, evaluation, alerts, delivery, API and pages, as threads of it.

chDB allows one process a data folder and no fork: everything that needs the facts lives here.
"""

from __future__ import annotations

import logging
import socket
import time
from concurrent.futures import Future
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import uvicorn

from alerts.deliver import Deliverer
from core import moment
from core.clock import Clock, SystemClock
from core.error import Fatal
from ingest.consumer import Consumer, Limits
from ingest.decode.payload import Kind
from ingest.embedded_log import EmbeddedLog
from ingest.record import TOPICS
from watchkeeper import wiring
from watchkeeper.api.seam import AnyDecoded, Topic
from watchkeeper.settings import Settings
from watchkeeper.stores import Stores

_log = logging.getLogger(__name__)


class Embedded:
    """Everything but the HTTP server. `start` begins, `close` ends in reverse order; what was not finished is found again."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        folder = settings.data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.stores = Stores(settings, self.clock)
        self.stores.migrate()
        self.log = EmbeddedLog(folder / "log.sqlite")
        self.deliverer = Deliverer(self.stores.control, self.clock)
        self._began = time.monotonic()
        self.host = wiring.host(settings, self.stores, self.clock, self.silent, self.deliverer.wake)
        limits = Limits(bytes=settings.ingest.batch.bytes, seconds=settings.ingest.batch.wait_ms / 1_000)
        self.consumers = {
            topic: Consumer(
                self.log,
                self.stores.writer,
                self.stores.raw,
                self.stores.control.contract,
                topic,
                limits=limits,
                written=lambda _: self.call(),
            )
            for topic in TOPICS
        }

    def start(self) -> None:
        """Begin to consume, evaluate and deliver."""
        for consumer in self.consumers.values():
            consumer.start()
        self.host.start()
        self.deliverer.start()

    def close(self) -> None:
        """Stop, in reverse order."""
        self.host.stop()
        for consumer in self.consumers.values():
            consumer.stop()
        self.deliverer.stop()
        self.log.close()
        self.stores.close()

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> Future[Any]:
        """Append an unpacked request to the log; done when it is durable. Raises Retryable if too much is waiting."""
        return self.log.append(topic, kind, body, now, decoded)

    def call(self) -> None:
        """Something was appended, written or defined: there may be work for the owners."""
        self.host.call()

    def silent(self) -> bool:
        """Whether the log has been read to its end and nothing has been appended for `ingest.silence`."""
        caught_up = all(consumer.written >= self.log.end(topic) for topic, consumer in self.consumers.items())
        waited = time.monotonic() - max(self.log.appended, self._began)
        return caught_up and waited * moment.SECOND >= self.settings.ingest.silence

    def obstacles(self) -> list[str]:
        """What keeps the whole from going on, in words: a store that cannot be written or read."""
        found = [f"ingest of {topic}: {consumer.problem}" for topic, consumer in self.consumers.items() if consumer.problem]
        if self.host.problem:
            found.append(f"evaluation: {self.host.problem}")
        return found

    def problems(self) -> list[str]:
        """What is wrong now, in words: obstacles, and monitors that cannot be evaluated."""
        found = self.obstacles()
        for name, owner in list(self.host.owners.items()):
            found += [
                f"monitor {monitor} of {name}: {why}" for monitor, why in [*owner.counts.failed.items(), *owner.counts.missing.items()]
            ]
        return found

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` says: whether all is quiet, how far ingest and evaluation are, what is wrong."""
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
        owners = list(self.host.owners.values())
        evaluate = {
            "models": len(owners),
            "readings": sum(owner.counts.readings for owner in owners),
            "audited": sum(owner.counts.audited for owner in owners),
            "repaired": sum(owner.counts.repaired for owner in owners),
            "seconds": round(self.host.seconds, 3),
            "last": None if self.host.last is None else moment.text(int(self.host.last) * moment.SECOND),
        }
        return {
            "quiet": self.host.quiet,
            "version": version("watchkeeper"),
            "ingest": ingest,
            "evaluate": evaluate,
            "problems": self.problems(),
        }

    def tag(self) -> str:
        """A text that changes when anything that can be read has changed."""
        readings = sum(owner.counts.readings for owner in list(self.host.owners.values()))
        return f"{self._began:.3f}-{self.host.epoch}-{readings}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def run(settings: Settings) -> None:
    """Run everything in this process until it is told to stop (SIGTERM, Ctrl-C)."""
    from watchkeeper.application import create_application  # it brings in Dash, which takes a second

    _free(settings)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with Embedded(settings) as spine:
        application = create_application(spine)
        config = uvicorn.Config(
            application, host=settings.host, port=settings.port, log_level="warning", access_log=False, timeout_graceful_shutdown=5
        )
        uvicorn.Server(config).run()


def _free(settings: Settings) -> None:
    """Raise Fatal if the address cannot be listened on, before anything is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Fatal(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}; stop what is there, or use another --port"
            ) from None
