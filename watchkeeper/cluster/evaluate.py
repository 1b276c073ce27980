"""`watchkeeper evaluate`: joins outcomes, audits, evaluates monitors, fires alerts. Several may run; each owns the models of its partitions of `ticks`."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from typing import Any

from fastapi import FastAPI
from prometheus_client.registry import Collector

from alerts.destination.kafka import TRUST_TOPIC
from core import moment
from core.clock import Clock
from core.error import Retryable
from ingest.kafka.connection import Connection
from ingest.kafka.ends import Ends
from watchkeeper import wiring
from watchkeeper.cluster.agent import Agent
from watchkeeper.liveness.owner_report import OwnerReports
from watchkeeper.liveness.probe import ServerProbe
from watchkeeper.scheduling.scheduler import StepDone
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores
from watchkeeper.telemetry.evaluation_metrics import EvaluationMetrics
from watchkeeper.telemetry.gauges import OWNERS
from watchkeeper.telemetry.process_metrics import StatusMetrics

_LOOK = 1.0  # seconds between two questions to the brokers while ticks come
_FIGURES = {
    "models": ("watchkeeper_evaluate_models", "Models that this process owns."),
    "partitions": ("watchkeeper_evaluate_partitions", "Partitions of `ticks` that are assigned to it."),
    "rebalances": ("watchkeeper_evaluate_rebalances", "How often they were assigned since the start."),
    **OWNERS,
}


class EvaluatePart:
    """The part of an `evaluate` process: Faust decides which models it owns, and the scheduler runs their owners in threads."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> None:
        self._silence = settings.ingest.silence / moment.SECOND
        self._ends = Ends(brokers)
        self._away: str | None = None
        self._ticked = self._looked = float("-inf")  # time.monotonic() of the last tick, and of the last question to the brokers
        self._servers = ServerProbe(stores.engine, stores.control)
        self._reports, self._pace = OwnerReports(stores.control, clock), EvaluationMetrics(clock, lambda: self._scheduler.owners)
        self._agent = Agent(brokers, self._called, self._assigned)
        self._scheduler = wiring.scheduler(
            settings,
            stores,
            clock,
            self._silent,
            owns=self._agent.owns,
            on_step=self._step_done,
            on_fenced=self._agent.suspect_membership,
            positions=self._positions,
            topic=TRUST_TOPIC,
        )

    def start(self) -> None:
        """Join the group, and begin to evaluate."""
        self._servers.start()
        self._scheduler.start()
        self._agent.start()

    def close(self) -> None:
        """Finish the step under way, and leave the group."""
        self._scheduler.stop(8.0)
        self._agent.stop()
        self._ends.close()
        self._servers.stop()

    def application(self) -> FastAPI | None:
        """None: health and metrics only."""
        return None

    def problems(self) -> Sequence[str]:
        """Sentences that say what keeps models from being evaluated."""
        return [*filter(None, (self._agent.problem, self._away)), *self._scheduler.obstacles(), *self._servers.away()]

    def collectors(self) -> Sequence[Collector]:
        """Models, steps, readings."""
        return [self._pace, StatusMetrics(self._figures, _FIGURES)]

    def status(self) -> dict[str, Any]:
        """Models and partitions that are owned here, and what was done since the start."""
        held = sorted(self._agent.partitions or ())
        return {"evaluate": {**self._scheduler.status(), "partitions": held, "rebalances": self._agent.rebalances}}

    def broken(self) -> str | None:
        """Why this process must end: the agent's loop or the scheduler's thread has ended for good. None if it need not."""
        if not self._scheduler.running:
            return "the thread of evaluation has ended"
        return self._agent.dead

    def _figures(self) -> dict[str, Any]:
        status = self.status()["evaluate"]
        return {**status, "partitions": len(status["partitions"])}

    def _step_done(self, step: StepDone) -> None:
        self._reports.save(step)
        self._pace.observe(step)

    def _called(self, model: str) -> None:
        self._ticked = time.monotonic()
        self._scheduler.call(model)

    def _assigned(self) -> None:
        self._scheduler.call()

    def _silent(self) -> bool:
        """Whether the topics are read to their ends and nothing has come for a while; False while that is not known.

        A tick tells that something has come: while ticks come, a step does not wait for the brokers to say so.
        """
        now = time.monotonic()
        if now < min(self._ticked + self._silence, self._looked + _LOOK):
            return False
        self._looked = now
        try:
            silent = self._ends.silent(self._silence)
        except Retryable as error:
            self._away = str(error)
            return False
        self._away = None
        return silent

    def _positions(self) -> dict[Hashable, tuple[int, int]]:
        """By partition the position after the last record, and the next one that is not committed."""
        return {partition: (at.end, at.next) for partition, at in self._ends.per_partition().items()}
