"""Readings of how a model serves, by the code that evaluates monitors, from panes of five minutes with so many errors each."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from core import moment
from core.block import Floats
from core.contract import PREDICTION, Column, Contract, Kind, Task
from core.monitor import Monitor
from core.reading import Reading
from core.segment import ALL
from detectors import catalogue
from monitors.definition import field
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.watched import scope_of
from monitors.model import Model
from validation.world import Cells, CountPanes

PANE = 5 * moment.MINUTE
EACH = 1_000  # requests in a pane
STATUS = Column(name="@status", kind=Kind.CATEGORICAL, categories=("ok", "error"))
CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.REGRESSION,
    features=(),
    outputs=(Column(name=PREDICTION, kind=Kind.NUMERIC),),
    signals=(STATUS,),
    pane=PANE,
)


def monitor_of(measure: str, window: Any, params: dict[str, Any], **more: Any) -> Monitor:
    """A monitor of a measure of how a model serves."""
    return Monitor(
        name="b", model="m", measure=measure, params=field.params(params, catalogue.spec(measure), CONTRACT), window=window, **more
    )


def readings(errors: Floats, measure: str, window: Any, params: dict[str, Any], **more: Any) -> list[Reading]:
    """The readings of a measure over panes, each with so many errors among its requests."""
    n = len(errors)
    counts = np.zeros((n, STATUS.bins))
    counts[:, 0], counts[:, 1] = EACH - errors, errors
    predictions = np.zeros((n, 3))
    predictions[:, 0] = EACH
    panes, nothing = CountPanes(), cast("Any", None)
    cells = {"@status": Cells(counts, np.zeros(n), np.zeros(n)), PREDICTION: Cells(predictions, np.zeros(n), np.zeros(n))}
    panes.put(CONTRACT, np.arange(n) * PANE, cells)
    evaluate = Evaluate(cast("Any", panes), nothing, nothing, nothing)
    monitor = monitor_of(measure, window, params, **more)
    windows = monitor.window.between(0, (n - 1) * PANE)
    windows = windows.take((windows.start >= 0) & (windows.end <= n * PANE))
    frame = evaluate(monitor, windows, evaluate.reads(scope_of(monitor, Model(CONTRACT, None), (ALL,))))
    return list(frame.readings(frame.every, np.ones(frame.value.shape, np.int64)))
