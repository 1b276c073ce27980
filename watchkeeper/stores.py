"""The stores of a process: the fact store and the control store, each embedded or on a server, as the settings say; and the process that trains trees on facts."""

from __future__ import annotations

from contextlib import ExitStack

from core.clock import Clock
from monitors.evaluation.background import Lane
from storage.control.store import ControlStore
from storage.facts.chdb import Chdb
from storage.facts.engine import Engine
from storage.facts.event_export import EventExport
from storage.facts.event_store import EventStore
from storage.facts.flow import RecentFlow
from storage.facts.http import Http
from storage.facts.migration import migrate
from storage.facts.outcome_store import OutcomeStore
from storage.facts.pane_counts import PaneCounts
from storage.facts.panes import Panes
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.retention import retain
from storage.facts.stream import Stream
from storage.facts.waiting import WaitingStore
from storage.facts.writer import Writer
from watchkeeper.scheduling.training import Training
from watchkeeper.settings.settings import Settings


class Stores:
    """Both stores. The constructor opens them: it raises Retryable if a server is away, and Fatal if it refuses us.

    Threads share them. Each process calls `migrate` before anything else; if nothing is to be done, it costs a query.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        if settings.clickhouse.url is None or settings.control.url is None:
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as opened:
            self.engine = _facts(settings)
            opened.callback(self.engine.close)
            self.control = _control(settings, clock)
            opened.pop_all()
        self.raw, self.outcomes, self.panes = Raw(self.engine), OutcomeStore(self.engine), Panes(self.engine)
        self.pane_counts = PaneCounts(self.engine)
        self.stream = Stream(self.engine)
        self.readings, self.writer = Readings(self.engine), Writer(self.engine, settings.ingest.unknown_for)
        self.waiting = WaitingStore(self.engine)
        self.training, self.lane = Training(), Lane()  # owners and API share the budget of CPU of the training
        self.events, self.exported = EventStore(self.engine), EventExport(self.engine)
        self.flow = RecentFlow(self.engine)
        self.batches = Batches(self.engine, settings.retention.events)

    def migrate(self) -> None:
        """Bring both stores to the newest schema; one process at a time."""
        with self.control.alone():
            self.control.migrate()
            migrate(self.engine)
            retain(self.engine, self.settings.retention.events)

    def close(self) -> None:
        """End the training and what waits for it, and close all connections."""
        with ExitStack() as parts:  # the last one first
            for close in (self.engine.close, self.control.close, self.lane.close, self.training.close):
                parts.callback(close)


def _facts(settings: Settings) -> Engine:
    server = settings.clickhouse
    if server.url is None:
        return Chdb(settings.data / "facts")
    return Http(server.url, server.user, server.secret or "", server.database, server.cluster)


def _control(settings: Settings, clock: Clock) -> ControlStore:
    database = settings.control
    if database.url is None:
        return ControlStore(f"sqlite:///{settings.data / 'control.sqlite'}", clock)
    return ControlStore(database.url, clock, database.secret, refresh=0.0)  # other processes may save contracts, too
