"""Metrics of evaluation: how far each model's watermark is behind, and how long events take to be evaluated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import moment
from core.clock import Clock
from watchkeeper.scheduling.scheduler import StepDone

_log = logging.getLogger(__name__)

_BUCKETS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600]  # seconds


class EvaluationMetrics(Collector):
    """Is called after every step of every owner of this process; `owned` are the models that the process owns now."""

    def __init__(self, clock: Clock, owned: Callable[[], Collection[str]]) -> None:
        self._clock, self._owned = clock, owned
        self._watermarks: dict[str, int] = {}  # by model
        self._logged: dict[str, int] = {}
        self._steps = Histogram(
            "watchkeeper_evaluation_step_seconds", "Duration of a model's step that had work.", buckets=_BUCKETS, registry=None
        )
        self._delay = Histogram(
            "watchkeeper_evaluation_delay_seconds",
            "From the log's taking the last prediction of what was committed to the end of the step that evaluated it.",
            buckets=_BUCKETS,
            registry=None,
        )

    def observe(self, step: StepDone) -> None:
        """Measure a step that has ended."""
        self._watermarks[step.model] = step.committed.watermark
        before = self._logged.get(step.model)
        self._logged[step.model] = step.committed.logged
        if not step.worked:
            return
        self._steps.observe(step.seconds)
        if before is not None and step.committed.logged > before:  # the first step of an owner may evaluate years
            self._delay.observe(max(0.0, (self._clock.now() - step.committed.logged) / moment.SECOND))
        _log.debug("a model is evaluated", extra={"model": step.model, "seconds": round(step.seconds, 4)})

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering makes no queries."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        yield from self._steps.collect()
        yield from self._delay.collect()
        behind = GaugeMetricFamily(
            "watchkeeper_watermark_lag_seconds", "How far a model's watermark is behind the clock, by its events.", labels=["model"]
        )
        now, owned = self._clock.now(), set(self._owned())
        for model, watermark in sorted(self._watermarks.copy().items()):
            if model in owned and watermark > moment.EARLIEST:
                behind.add_metric([model], (now - watermark) / moment.SECOND)
        yield behind
