"""Outcomes as a store would have them, and the readings of a measure over them: from rows to panes to values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa

from core import moment
from core.baseline.kind import Baseline
from core.block import Categories, Floats, Ints, Outcomes
from core.contract import LABEL, PREDICTION, SCORE, Column, Contract, Kind, Task
from core.monitor import Monitor
from core.reading import Reading
from core.segment import Segments
from core.window.tumbling import Tumbling
from detectors import catalogue
from detectors.summary.performance import PerformanceSummary
from monitors.definition import field
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence.reads import Scope
from monitors.model import Model
from validation.replay import with_delays


@dataclass
class Store:
    """Outcomes, and the panes of them."""

    contract: Contract
    rows: Outcomes

    def contracts(self, _model: str, _slots: Ints, _pane: int) -> list[int]:
        """The version of the contract that events came under."""
        return [self.contract.version]

    def slots(self, _contract: Contract) -> tuple[Ints, Ints]:
        """The slots of the rows, and how many each holds."""
        slots, n = np.unique(self.rows.ts // moment.HOUR * moment.HOUR, return_counts=True)
        return slots, n

    def traces(self, _model: str, _pane: int) -> tuple[Ints, Ints]:
        """No row changes."""
        slots, n = self.slots(self.contract)
        return slots, n[:, None]

    def outcomes(self, _contract: Contract, _names: Any, slots: Ints, pane: int, *, version: str | None = None, **_: Any) -> Outcomes:
        """The outcomes of some slots."""
        assert version is None
        return self.rows.take(np.flatnonzero(np.isin(self.rows.ts // pane * pane, slots)))

    def inputs(self, contract: Contract, _columns: Any, *asked: Any) -> pa.Table:
        """How many predictions each pane has; all are labelled."""
        return self.performance(contract, *asked).select(["start", "segment", "n"])

    def performance(self, contract: Contract, _names: Any, _groupings: Any, step: int, *_: Any) -> pa.Table:
        """All panes, one row a pane, each with the start of its cell."""
        table = with_delays(PerformanceSummary.of(contract, Segments(contract), self.rows).to_columns())
        slots = table["slot"].to_numpy()
        table = table.set_column(0, "slot", pa.array(slots - slots % step))
        return table.append_column("panes", pa.array(np.ones(len(table), np.int64))).rename_columns(
            ["start" if name == "slot" else name for name in [*table.column_names, "panes"]]
        )


def contract(task: Task, *classes: str) -> Contract:
    """The contract of a model without features; its labels' bins have the middle 0."""
    if task == Task.REGRESSION:
        outputs = tuple(Column(name=name, kind=Kind.NUMERIC) for name in (PREDICTION, LABEL))
        return Contract(model="m", version=1, task=task, features=(), outputs=outputs)
    outputs = tuple(Column(name=name, kind=Kind.CATEGORICAL, categories=classes) for name in (PREDICTION, LABEL))
    score = (Column(name=SCORE, kind=Kind.NUMERIC, edges=(0.5,)),) if task == Task.BINARY else ()
    return Contract(model="m", version=1, task=task, features=(), outputs=outputs + score, classes=classes, scored=True)


def numbers(prediction: Floats, label: Floats, hour: Ints | int = 0) -> Store:
    """Outcomes of a regression."""
    return Store(contract(Task.REGRESSION), _rows(prediction, label, hour))


def binary(prediction: list[str], label: list[str], score: Floats | None = None, hour: Ints | int = 0) -> Store:
    """Outcomes of a model of the classes 0 and 1."""
    rows = _rows(Categories.of(prediction), Categories.of(label), hour, score=score)
    return Store(contract(Task.BINARY, "0", "1"), rows)


def multiclass(
    classes: tuple[str, ...], prediction: list[str], label: list[str], scores: Floats | None = None, hour: Ints | int = 0
) -> Store:
    """Outcomes of a multiclass model, with the probabilities of its classes (n, classes)."""
    rows = _rows(Categories.of(prediction), Categories.of(label), hour, probabilities=scores)
    return Store(contract(Task.MULTICLASS, *classes), rows)


def _rows(
    prediction: Categories | Floats,
    label: Categories | Floats,
    hour: Ints | int,
    *,
    score: Floats | None = None,
    probabilities: Floats | None = None,
) -> Outcomes:
    n = len(label.codes) if isinstance(label, Categories) else len(label)
    same = Categories.of([""] * n)
    ts = np.broadcast_to(np.asarray(hour, np.int64) * moment.HOUR, (n,)).copy()
    return Outcomes(ts, same, same, {}, prediction, label, np.full(n, np.nan) if score is None else score, probabilities)


def readings(
    store: Store, measure: str, params: dict[str, Any] | None = None, hours: int = 1, baseline: Baseline | None = None, days: int = 0
) -> list[Reading]:
    """The readings of a measure for each hour, or for windows of so many days up to the last row."""
    spec, hourly, nothing = catalogue.spec(measure), Tumbling(days * moment.DAY or moment.HOUR), cast("Any", None)
    settled = field.params(params or {}, spec, store.contract)
    monitor = Monitor(name="w", model="m", measure=measure, params=settled, window=hourly, baseline=baseline, min_samples=1)
    evaluate = Evaluate(cast("Any", store), cast("Any", store), nothing, lambda _model, _version: store.contract)
    windows = hourly.between(0, int(store.rows.ts.max()) if days else (hours - 1) * moment.HOUR)
    frame = evaluate(monitor, windows, evaluate.reads(Scope(Model(store.contract, None), ("all",), ("",), ())))
    mask = np.ones(frame.value.shape, np.bool_)
    return frame.with_evidence(list(frame.readings(mask, np.ones(frame.value.shape, np.int64))))


def value(store: Store, measure: str, params: dict[str, Any] | None = None) -> float:
    """The value of a measure, NaN if there is none; then the reading says why."""
    (reading,) = readings(store, measure, params)
    assert (reading.value is None) == (reading.reason is not None)
    return np.nan if reading.value is None else reading.value
