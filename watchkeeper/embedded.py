"""The embedded whole in one process: log, ingest, evaluation, alerts, delivery, API and pages, as threads of it.

chDB allows one process a data folder and no fork: everything that needs the facts lives here.
"""

from __future__ import annotations

import logging
import socket
import time
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import uvicorn

from alerts.deliver import Deliverer
from alerts.engine import AlertEngine
from core import moment
from core.clock import Clock, SystemClock
from core.error import Fatal
from ingest.consumer import Consumer, Limits
from ingest.embedded_log import EmbeddedLog
from ingest.record import TOPICS
from monitors.evaluate import Evaluate
from monitors.owner import Owner, Stores
from monitors.rebuild import Rebuild
from storage.control.store import ControlStore
from storage.facts.engine import Engine
from storage.facts.migration import migrate
from storage.facts.panes import Panes
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.retention import retain
from storage.facts.truth import Truth
from storage.facts.writer import Writer
from watchkeeper.host import Host
from watchkeeper.settings import Settings

_log = logging.getLogger(__name__)


class Embedded:
    """Everything but the HTTP server. `start` begins, `close` ends in reverse order; what was not finished is found again."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        folder = settings.data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = Engine(folder / "facts")
        migrate(self.engine)
        retain(self.engine, settings.retention.events)
        self.control = ControlStore(f"sqlite:///{folder / 'control.sqlite'}", self.clock)
        self.control.migrate()
        self.log = EmbeddedLog(folder / "log.sqlite")
        self.raw, self.truth, self.panes = Raw(self.engine), Truth(self.engine), Panes(self.engine)
        self.readings, self.batches, self.writer = (
            Readings(self.engine),
            Batches(self.engine, settings.retention.events),
            Writer(self.engine),
        )
        self.deliverer = Deliverer(self.control, self.clock)
        self.alerts = AlertEngine(self.control, self.clock, settings.alerts.notify_horizon, address=settings.url, wake=self.deliverer.wake)
        self.evaluate = Evaluate(self.panes, self.raw, self.control.contract_version)
        self._rebuild = Rebuild(self.raw, self.panes, self.writer, self.control.contract_version, self.clock)
        self._began = time.monotonic()
        self.host = Host(
            self.control,
            lambda: self.batches.progress(self.clock.now()),
            self._owner,
            self.silent,
            debounce=settings.evaluate.debounce_ms / 1_000,
            lateness=settings.ingest.lateness,
        )
        limits = Limits(bytes=settings.ingest.batch.bytes, seconds=settings.ingest.batch.wait_ms / 1_000)
        self.consumers = {
            topic: Consumer(
                self.log, self.writer, self.raw, self.control.contract, topic, limits=limits, written=lambda _: self.host.call()
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
        self.control.close()
        self.engine.close()

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
        totals = self.batches.totals()
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

    def _owner(self, name: str) -> Owner:
        stores = Stores(
            raw=self.raw,
            truth=self.truth,
            panes=self.panes,
            readings=self.readings,
            write=self.writer,
            cursors=self.control,
            alerts=self.alerts,
        )
        return Owner(name, stores, self._rebuild, self.evaluate, self.clock)


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
