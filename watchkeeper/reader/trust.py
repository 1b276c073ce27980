"""Reads whether a model's predictions may be trusted now, from its newest readings."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.trust import HISTORY, counts, trust
from core.contract import Contract
from core.monitor import Monitor
from core.reading import DOCUMENTS, Query, Reading
from core.trust import Trust
from detectors.catalogue import MEASURES
from watchkeeper.reader.readings import ReadingReader

_MOST = 100_000  # readings of one monitor


class TrustReader(ReadingReader):
    """Reads states of trust."""

    def trust(self, model: str) -> list[Trust]:
        """The states of a model by version and segment; none without a monitor that tells, or without readings of it."""
        contract = self._stores.control.contract(model)
        monitors = [monitor for monitor in self._stores.control.monitors(model) if counts(monitor) and monitor.measure in MEASURES]
        if contract is None or not monitors:
            return []
        found = [reading for monitor in monitors for reading in self._recent(contract, monitor)]
        return trust(monitors, found, MEASURES)

    def _recent(self, contract: Contract, monitor: Monitor) -> list[Reading]:
        """The readings of the last windows of a monitor. After the last event there may be more of them, without rows; they are read, too."""
        slots, _ = self._stores.panes.slots(contract, monitor.version)
        if not len(slots):
            return []
        start = int(slots[-1]) - HISTORY * monitor.window.step - monitor.window.longest
        table = self.readings(Query(model=contract.model, monitor=monitor.name, start=start, limit=_MOST))
        return [_reading(row) for row in table.to_pylist()]


def _reading(row: dict[str, Any]) -> Reading:
    documents = {name: msgspec.json.decode(row[name] or "{}") for name in DOCUMENTS}
    return msgspec.convert({**row, **documents}, Reading)
