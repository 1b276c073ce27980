"""What the process types share: they wait for the stores, answer health and metrics on a port of their own, and end in order.

The port answers from the start. Until the servers are there, `GET /v1/health/ready` says which is missing, and the process waits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version
from typing import Any, Literal, Protocol

from fastapi import FastAPI
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Receive, Scope, Send

from core.clock import Clock, SystemClock
from core.error import Fatal, Retryable
from core.struct_types import prepare
from ingest.kafka import topics
from ingest.kafka.connection import Connection
from watchkeeper import listen
from watchkeeper.api.auth import AccessPolicy
from watchkeeper.api.host import Hosts
from watchkeeper.api.key import Keys
from watchkeeper.brokers import connection
from watchkeeper.cluster.health import create_health
from watchkeeper.liveness.heartbeat import Heartbeat
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores
from watchkeeper.telemetry import journal
from watchkeeper.telemetry.process_metrics import ProcessMetrics

_log = logging.getLogger(__name__)

Kind = Literal["serve", "ingest", "evaluate", "deliver"]
PORTS: dict[Kind, int] = {"serve": 8650, "ingest": 8651, "evaluate": 8652, "deliver": 8653}

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds between two attempts to reach the servers
_LOOK = 0.5  # seconds between two checks whether the part is broken
_END = 25.0  # seconds to finish what is under way


class Part(Protocol):
    """The work of a process type. It is made when the stores are open, and ends with the process."""

    def start(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """Finish what is under way, and stop."""
        ...

    def application(self) -> FastAPI | None:
        """The application that it serves on the port; None for health and metrics only."""
        ...

    def problems(self) -> Sequence[str]:
        """Sentences that say what keeps it from its work."""
        ...

    def collectors(self) -> Sequence[Collector]:
        """Its metrics."""
        ...

    def status(self) -> dict[str, Any]:
        """Its status."""
        ...

    def broken(self) -> str | None:
        """Why the process must end because the part can neither go on nor recover; None if it need not."""
        ...


class PartFactory(Protocol):
    """Makes a part."""

    def __call__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> Part:
        """The part, not yet started."""
        ...


class Process:
    """One process of a cluster, from its settings to its end. It is also the ASGI application of its port."""

    def __init__(self, kind: Kind, settings: Settings, make: PartFactory, *, clock: Clock | None = None) -> None:
        self.kind, self.settings, self._make = kind, settings, make
        self._brokers = connection(settings)
        self._clock = clock or SystemClock()
        self._part: Part | None = None
        self._closing: list[Callable[[], None]] = []  # in the order of opening
        self._waiting = "starting"
        self._stop = threading.Event()
        self._application: ASGIApp = create_health(
            self, AccessPolicy(Keys(settings.keys), Hosts(settings.host, settings.hosts)), ProcessMetrics(self), more=kind == "serve"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: by the part's application if there is one, else with health and metrics."""
        await self._application(scope, receive, send)

    def ready(self) -> list[str]:
        """Sentences that say what keeps this process from its work."""
        return [self._waiting] if self._part is None else list(self._part.problems())

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` says of this process."""
        status = {} if self._part is None else self._part.status()
        return {"process": self.kind, "version": version("watchkeeper"), **status, "problems": self.ready()}

    def collectors(self) -> Sequence[Collector]:
        """The metrics of the process."""
        return () if self._part is None else self._part.collectors()

    def run(self) -> None:
        """Run until SIGTERM or Ctrl-C. Raises errors from which this process cannot recover."""
        listener = listen.listening(self.settings)
        journal.configure_logging(self.settings.log_level, self.settings.log_format)
        prepare()
        asyncio.run(self._run(listener))

    async def _run(self, listener: socket.socket) -> None:
        stopping = listen.signals()
        server = listen.UvicornServer(self, self.settings, lifespan=False)
        serving = asyncio.create_task(server.serve([listener]))
        opening = asyncio.create_task(asyncio.to_thread(self._open))
        _log.info("watchkeeper %s: health at %s/v1/health/ready", self.kind, self.settings.url)
        try:
            async with AsyncExitStack() as stack:
                await asyncio.wait((opening, serving, asyncio.create_task(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
                if opening.done():
                    part = opening.result()
                    if (application := await asyncio.to_thread(part.application)) is not None:
                        await stack.enter_async_context(listen.begun(application))
                        self._application = application
                    self._part = part  # the process can be ready from here on
                while opening.done() and not (stopping.is_set() or serving.done()):
                    if reason := opening.result().broken():
                        raise Fatal(f"watchkeeper {self.kind} cannot go on: {reason}")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), _LOOK)
        finally:
            self._stop.set()
            _limit(_END)
            await asyncio.gather(opening, return_exceptions=True)
            await asyncio.to_thread(self._close)
            server.should_exit = True
            await serving
        _log.info("watchkeeper %s: ended", self.kind)

    def _open(self) -> Part:
        """Open everything, however long the servers take. Returns the part, started. Raises Fatal and ConfigError."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._opened()
            except Retryable as error:
                self._close()
                self._waiting = str(error)
                _log.warning("waiting: %s", error)
                if self._stop.wait(pause):
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _opened(self) -> Part:
        stores = Stores(self.settings, self._clock)
        self._closing.append(stores.close)
        stores.migrate()
        for sentence in topics.create(self._brokers, self.settings.kafka.partitions, self.settings.kafka.replication).differ:
            _log.warning("%s", sentence)
        part = self._make(self.settings, stores, self._clock, self._brokers)
        self._closing.append(part.close)
        part.start()
        pulse = Heartbeat(stores.control, self._clock, self.kind, self.settings.port, self.ready)
        self._closing.append(pulse.stop)
        pulse.start()
        return part

    def _close(self) -> None:
        while self._closing:
            self._closing.pop()()


def _limit(seconds: float) -> None:
    """End the process if it has not ended by itself in time, whatever hangs. Nothing is lost."""

    def end() -> None:
        _log.error("something did not end within %.0f s; the process ends without it", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
