"""Reads whether a model's predictions may be trusted now, from its newest readings."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.trust import HISTORY, column_of, counts, trust
from core.moment import DAY
from core.monitor import Monitor
from core.reading import DOCUMENTS, Reading
from core.trust import Trust
from detectors.catalogue import MEASURES
from watchkeeper.reader.readings import ReadingReader

_LATE = 90 * DAY  # labels that come later are not waited for


class TrustReader(ReadingReader):
    """Reads states of trust."""

    def trust(self, model: str) -> list[Trust]:
        """The states of a model by version and segment; none without a monitor that tells, or without readings of it."""
        monitors = [monitor for monitor in self._stores.control.monitors(model) if counts(monitor) and monitor.measure in MEASURES]
        contract = self._evaluated(model)[model]
        found, ends, waiting = list[Reading](), [0], list[Monitor]()
        for monitor in monitors:
            definition, late = (monitor.evaluated_revision, contract), _LATE if MEASURES[monitor.measure].matures else 0
            newest = self._stores.readings.last(model, monitor.name, definition)
            if newest is None:
                waiting.append(monitor)
                continue
            ends.append(newest)
            after = newest - HISTORY * monitor.window.step - late
            table = self._stores.readings.judged(model, monitor.name, definition, after, HISTORY, column_of(monitor.measure))
            found += [_reading(row) for row in table.to_pylist()]
        return trust(monitors, found, MEASURES, max(ends), waiting)


def _reading(row: dict[str, Any]) -> Reading:
    documents = {name: msgspec.json.decode(row[name] or "{}") for name in DOCUMENTS}
    return msgspec.convert({**row, **documents}, Reading)
