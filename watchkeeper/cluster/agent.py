"""Decides which process owns a model, by a Faust agent on the topic `ticks`, whose key is the model: the process with the model's partition owns the model.

Nothing but speed depends on the ticks; what counts is the assignment. Faust runs in a thread with a loop of its own, and its consumer in another,
so that heartbeats go on while this process is busy. When it crashes or hangs, it is built again; also when the group has left partitions to nobody, which it
does if its leader does not know the topic yet, after a restart of the brokers.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import Any

import faust
from aiokafka.partitioner import murmur2

from ingest.kafka import topics
from ingest.kafka.connection import Connection
from ingest.kafka.coverage import unassigned

_log = logging.getLogger(__name__)

TICKS = "ticks"
_LONGEST_SESSION = 10.0  # seconds until the partitions of a process that died go to another; nothing is lost, so they need not wait longer
_LONGEST_PAUSE = 10.0
_LONGEST_REST = 600.0
_HUNG = 90.0  # seconds without a sign of life from the loop
_JOIN = 60.0  # seconds to start, whether the brokers are there or not
_END = 2.0  # seconds to end tasks that are left over
_LEAVE = 8.0  # seconds to leave the group


class Agent:
    """Takes part in the group of evaluation. `called` is called with the model of each tick, `assigned` after each assignment of partitions."""

    def __init__(self, connection: Connection, called: Callable[[str], None], assigned: Callable[[], None]) -> None:
        self._connection, self._called, self._assigned = connection, called, assigned
        self._topic = connection.topic(TICKS)
        self._session = min(connection.session, _LONGEST_SESSION)
        self._partitions: frozenset[int] | None = None  # None between two assignments
        self._of = 0  # how many partitions the topic has
        self._problem: str | None = "not a member of the group yet"
        self._suspected_since: float | None = None
        self._rest = self._session  # seconds between two checks of coverage; longer after each that made this process join again
        self._stop, self._renew = threading.Event(), threading.Event()
        self.rebalances = 0
        self.beat = time.monotonic()  # of the loop
        self._thread = threading.Thread(target=self._run, name="faust", daemon=True)

    def start(self) -> None:
        """Join the group, in a thread."""
        self._thread.start()

    def stop(self, seconds: float = 2 * _LEAVE) -> None:
        """Leave the group, so that others follow at once."""
        self._stop.set()
        self._thread.join(seconds)

    @property
    def problem(self) -> str | None:
        """A sentence that says what keeps this process from owning models."""
        late = time.monotonic() - self.beat
        return f"the agent has stood still for {late:.0f} s" if late > 2 * self._session else self._problem

    @property
    def dead(self) -> str | None:
        """Why it cannot recover by itself: its thread has ended, or its loop hangs."""
        if not self._thread.is_alive():
            return "the agent's thread has ended"
        late = time.monotonic() - self.beat
        return f"the agent's loop has hung for {late:.0f} s" if late > _HUNG else None

    @property
    def partitions(self) -> frozenset[int] | None:
        """The partitions of `ticks` that are assigned to this process; None during a rebalance."""
        return self._partitions

    def owns(self, model: str) -> bool | None:
        """Whether this process owns the model; None during a rebalance."""
        held = self._partitions
        return None if held is None else partition(model, self._of) in held

    def suspect_membership(self) -> None:
        """Another process owns a model that this one takes for its own. If that lasts, this process joins the group again."""
        now = time.monotonic()
        if self._suspected_since is None:
            self._suspected_since = now
        elif now - self._suspected_since > 3 * self._session:
            self._renew.set()

    def _run(self) -> None:
        pause = 0.5
        while not self._stop.is_set():
            began = time.monotonic()
            self._renew.clear()
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._member())
            except _StuckError:
                return  # parts of it may still run and keep partitions, which only the end of this process releases
            except Exception as error:  # top of the thread: this membership is given up, and another begins
                self._problem = f"Kafka: {type(error).__name__}: {error}"[:300]
                _log.warning("%s; joining again in %.1f s", self._problem, pause)
            finally:
                self._partitions = None
            _end(loop)
            self.beat = time.monotonic()
            pause = 0.5 if time.monotonic() - began > 2 * _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)
            self._stop.wait(pause)

    async def _member(self) -> None:
        """Be a member until `stop` is called; raises if that cannot go on."""
        self.beat = time.monotonic()
        with TemporaryDirectory(prefix="watchkeeper-faust-") as folder:  # Faust requires a folder, and keeps nothing in it
            app, beside = self._app(folder), [asyncio.create_task(self._beats()), asyncio.create_task(self._check_coverage())]
            try:
                await asyncio.wait_for(app.start(), _JOIN)
                while not (self._stop.is_set() or self._renew.is_set() or app.should_stop):  # noqa: ASYNC110 - of another thread
                    await asyncio.sleep(0.1)
                if app.crashed:
                    raise app.crash_reason or RuntimeError("the agent ended by itself")
            finally:
                self._partitions = None
                _, left = await asyncio.wait((asyncio.ensure_future(app.stop()),), timeout=_LEAVE)
                for task in beside:
                    task.cancel()
                if left:
                    raise _StuckError

    async def _beats(self) -> None:
        while True:
            self.beat = time.monotonic()
            await asyncio.sleep(0.2)

    async def _check_coverage(self) -> None:
        """Join again if partitions are nobody's twice in a row."""
        before: frozenset[int] = frozenset()
        while True:
            await asyncio.sleep(self._rest * random.uniform(1.0, 1.5))  # noqa: S311 - so that members do not leave together
            try:
                left = await asyncio.to_thread(unassigned, self._connection, "evaluate", TICKS)
            except Exception as error:  # it cannot be known now, whatever the client raises
                _log.debug("the group of evaluation cannot be described: %s", error)
                continue
            if not left:
                self._rest = self._session
            if lost := before & left:
                self._problem = f"the group has left partitions {sorted(lost)} of {self._topic} to no process; joining again"
                _log.warning("%s", self._problem)
                self._rest = min(2 * self._rest, _LONGEST_REST)
                self._renew.set()
            before = left

    def _app(self, folder: str) -> Any:  # long: one application, its settings and its three callbacks
        """A Faust application with one agent. It uses no tables, windows or exactly-once processing, because all state is in the stores."""
        session = self._session
        app = faust.App(
            self._connection.group("evaluate"),
            datadir=folder,
            broker=";".join(f"kafka://{host.strip()}" for host in self._connection.bootstrap.split(",")),
            broker_credentials=_credentials(self._connection.options),
            broker_session_timeout=session,
            broker_heartbeat_interval=session / 5,
            broker_request_timeout=session + 2,
            broker_rebalance_timeout=session + 2,
            broker_commit_interval=1.0,
            consumer_auto_offset_reset="latest",
            store="memory://",
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            stream_wait_empty=False,
            web_enabled=False,
            autodiscover=False,
            key_serializer="raw",
            value_serializer="raw",
        )

        @app.agent(app.topic(self._topic, key_serializer="raw", value_serializer="raw"), name="tick", concurrency=1)
        async def tick(stream: Any) -> None:
            async for event in stream.events():
                if event.key:
                    self._called(event.key.decode("utf-8", "surrogatepass"))

        @app.on_partitions_revoked.connect
        async def revoked(*_: Any, **__: Any) -> None:
            self._partitions = None

        @app.on_partitions_assigned.connect
        async def given(_: Any, /, *places: Any, **__: Any) -> None:
            self._of = await asyncio.to_thread(topics.count, self._connection, TICKS)
            self._partitions = frozenset(place.partition for place in places[0] if place.topic == self._topic)
            self._problem, self._suspected_since = None, None
            self.rebalances += 1
            _log.info("owns the models of partitions %s of %d", sorted(self._partitions), self._of)
            self._assigned()

        return app


class _StuckError(Exception):
    """A membership does not end."""


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, also if its tasks do not end."""
    if tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks, timeout=_END))
    loop.close()


@lru_cache(100_000)
def partition(model: str, of: int) -> int:
    """The partition to which a model's ticks go in a topic with `of` partitions, by murmur2, as in all clients."""
    return int(murmur2(model.encode(errors="surrogatepass")) & 0x7FFFFFFF) % of


def _credentials(options: Mapping[str, Any]) -> Any:
    """The security settings among librdkafka's options, as settings of Faust."""
    protocol = str(options.get("security.protocol", "plaintext")).upper()
    context = ssl.create_default_context(cafile=options.get("ssl.ca.location")) if protocol.endswith("SSL") else None
    if context is not None and (chain := options.get("ssl.certificate.location")):
        context.load_cert_chain(str(chain), options.get("ssl.key.location"), options.get("ssl.key.password"))
    if protocol.startswith("SASL"):
        mechanism = options.get("sasl.mechanism") or options.get("sasl.mechanisms") or "PLAIN"
        return faust.SASLCredentials(
            username=options.get("sasl.username"), password=options.get("sasl.password"), ssl_context=context, mechanism=mechanism
        )
    return faust.SSLCredentials(context) if context is not None else None
