"""The states of trust of a model, made of its newest judged readings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from alerts.trust import HISTORY, column_of, counts, trust
from core.moment import DAY
from core.monitor import Monitor
from core.reading import DOCUMENTS, Reading
from core.trust import Standing
from detectors.catalogue import MEASURES
from storage.facts.readings import Readings

_LATE = 90 * DAY  # labels that come later are not waited for


def standing(readings: Readings, model: str, monitors: Iterable[Monitor], contract: int) -> Standing:
    """The states by version and segment under a version of the contract; none without a monitor that tells, or without readings of it."""
    telling = [monitor for monitor in monitors if counts(monitor) and monitor.measure in MEASURES]
    found, ends, waiting = list[Reading](), [0], list[Monitor]()
    for monitor in telling:
        definition, late = (monitor.evaluated_revision, contract), _LATE if MEASURES[monitor.measure].matures else 0
        newest = readings.last(model, monitor.name, definition)
        if newest is None:
            waiting.append(monitor)
            continue
        ends.append(newest)
        after = newest - HISTORY * monitor.window.step - late
        table = readings.judged(model, monitor.name, definition, after, HISTORY, column_of(monitor.measure))
        found += [_reading(row) for row in table.to_pylist()]
    return Standing(trust(telling, found, MEASURES, max(ends), waiting), max(ends))


def _reading(row: dict[str, Any]) -> Reading:
    documents = {name: msgspec.json.decode(row[name] or "{}") for name in DOCUMENTS}
    return msgspec.convert({**row, **documents}, Reading)
