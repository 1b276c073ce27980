"""The default monitors of a model."""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from core.baseline.reference import Reference
from core.contract import PREDICTION, Contract
from core.measure import Family, Measure, Subject
from core.moment import DAY
from core.monitor import Compare, Gate, Monitor, Severity
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES, spec
from detectors.summary.signal import of_columns
from monitors.definition.field import params

PREFIX = "default-"
_ALARMS: dict[str, dict[str, Any]] = {
    "drift.psi": {"compare": Compare.EXCESS, "warn": 0.1, "critical": 0.25},
    "quality.null_rate": {"compare": Compare.RISE, "warn": 0.01, "baseline": Reference()},
    "drift.tail_share": {"compare": Compare.RISE, "warn": 0.01},
}
"""What the default monitors of these measures have besides, if there is a reference: thresholds, which count only where there is evidence."""


def defaults(contract: Contract) -> list[Monitor]:
    """One monitor for each usual measure that fits the contract, for the segment `all`. Measures of columns watch the features and `@prediction`, as far as they can have a value;
    those of drift the statistics of text columns, too, whose nulls are those of the texts.

    A window is a day, or a pane if panes do not fit into a day evenly; there are no thresholds, and the severity is `report`. Monitors with thresholds
    have the contract's usual window, in which half of its usual rows must be there, and the severity `ticket`.
    """
    usual = ((measure, _columns(contract, measure)) for measure in MEASURES.values() if measure.usual and measure.fits(contract))
    return [_default(contract, measure, columns) for measure, columns in usual if columns or measure.subject is not Subject.COLUMN]


def _columns(contract: Contract, measure: Measure) -> tuple[str, ...]:
    if measure.subject is not Subject.COLUMN:
        return ()
    watched = [*contract.features, contract.column(PREDICTION)]
    if measure.family is Family.DRIFT:
        watched += [contract.column(name) for name in of_columns(contract)]
    return tuple(column.name for column in watched if column.kind in measure.kinds)


def _default(contract: Contract, measure: Measure, columns: tuple[str, ...]) -> Monitor:
    monitor = Monitor(
        name=PREFIX + measure.name,
        model=contract.model,
        measure=measure.name,
        params=params({}, spec(measure.name), contract),
        columns=columns,
        window=Tumbling(DAY if DAY % contract.pane == 0 else contract.pane),
        baseline=measure.usual_baseline,
        severity=Severity.REPORT,
    )
    if contract.usual is None or measure.name not in _ALARMS:
        return monitor
    window, least = Tumbling(contract.usual.length), ceil(contract.usual.rows / 2) or monitor.min_samples
    alarms: dict[str, Any] = {"window": window, "min_samples": least, "gate": Gate.EVIDENCE, "severity": Severity.TICKET}
    return msgspec.structs.replace(monitor, **alarms, **_ALARMS[measure.name])
