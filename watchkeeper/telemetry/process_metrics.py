"""Metrics of a process: how many problems it has, and those of its part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Measured(Protocol):
    """A process with problems and collectors."""

    def ready(self) -> Sequence[str]:
        """Sentences that say what keeps it from its work."""
        ...

    def collectors(self) -> Sequence[Collector]:
        """The metrics of its part."""
        ...


class ProcessMetrics(Collector):
    """Reads from a process at each scrape; its part may not be there yet."""

    def __init__(self, process: Measured) -> None:
        self._process = process

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering asks for no status."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        yield GaugeMetricFamily(
            "watchkeeper_problems", "How many things are wrong now; the status names them.", value=len(self._process.ready())
        )
        for collector in self._process.collectors():
            yield from collector.collect()


class StatusMetrics(Collector):
    """Gauges of figures that are read at each scrape. `figures` gives by figure its name and help; `label` names the keys of figures that are mappings."""

    def __init__(self, ask: Callable[[], Mapping[str, Any]], figures: Mapping[str, tuple[str, str]], label: str = "") -> None:
        self._ask, self._figures, self._label = ask, figures, label

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        found = self._ask()
        for key, (name, text) in self._figures.items():
            value = found.get(key)
            if isinstance(value, Mapping):
                gauge = GaugeMetricFamily(name, text, labels=[self._label])
                for of, number in value.items():
                    gauge.add_metric([str(of)], number)
                yield gauge
            elif value is not None:
                yield GaugeMetricFamily(name, text, value=value)
