"""Metrics of the whole deployment, which are read from the backend and the outbox at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.episode import DeliveryState
from core.error import WatchkeeperError

_TOPIC = {
    "lag": ("watchkeeper_log_lag_records", "Records of the log that are not written yet."),
    "rows": ("watchkeeper_rows", "Rows in the store."),
    "duplicates": ("watchkeeper_duplicate_rows", "Rows whose id was there before."),
    "rejected": ("watchkeeper_dead_letter_rows", "Rows of the log that could not be used."),
}
OWNERS = {
    "readings": ("watchkeeper_readings", "Readings written since the start."),
    "audited": ("watchkeeper_audited_slots", "Slots compared with raw since the start."),
    "repaired": ("watchkeeper_repaired_slots", "Slots made again from raw since the start."),
    "seconds": ("watchkeeper_evaluation_seconds", "Duration of the last evaluation of a model that had work."),
}


class Gauges(Collector):
    """Collects from what `GET /v1/status` says."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering asks for no status."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        status = self._status()
        for key, (name, text) in _TOPIC.items():
            gauge = GaugeMetricFamily(name, text, labels=["topic"])
            for topic, values in status["ingest"].items():
                gauge.add_metric([topic], values[key])
            yield gauge
        for key, (name, text) in OWNERS.items():
            yield GaugeMetricFamily(name, text, value=status["evaluate"][key])
        yield GaugeMetricFamily("watchkeeper_quiet", "1 when everything that was sent is evaluated.", value=int(status["quiet"]))
        yield GaugeMetricFamily(
            "watchkeeper_problems", "How many things are wrong now; the status names them.", value=len(status["problems"])
        )


class Notifications(Collector):
    """Counts of the outbox; none while the store is away."""

    def __init__(self, counts: Callable[[], Mapping[DeliveryState, int]]) -> None:
        self._counts = counts

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering asks no store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The gauge as it is now."""
        gauge = GaugeMetricFamily("watchkeeper_notifications", "Notifications in the outbox, by state.", labels=["state"])
        try:
            for state, count in self._counts().items():
                gauge.add_metric([state.value], count)
        except WatchkeeperError:
            return
        yield gauge
