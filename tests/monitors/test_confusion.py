"""Performance of windows in parts, and of any number of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from core import moment
from core.block import Categories, Outcomes
from core.contract import LABEL, PREDICTION, Column, Contract, Kind, Task
from core.monitor import Monitor
from core.segment import Segments
from core.window.tumbling import Tumbling
from detectors.summary.performance import PerformanceSummary
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence import confusion
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from validation.replay import with_delays


def panes(
    task: Task, hours: np.ndarray[tuple[int], np.dtype[np.int64]], predicted: list[str], labels: list[str]
) -> tuple[Contract, pa.Table]:
    """A model of the classes 0 and 1, and the panes of such rows, their slots as starts."""
    outputs = tuple(Column(name=name, kind=Kind.CATEGORICAL, categories=("0", "1")) for name in (PREDICTION, LABEL))
    contract = Contract(model="m", version=1, task=task, features=(), outputs=outputs, classes=("0", "1"))
    same, nothing = Categories.of([""] * len(hours)), np.full(len(hours), np.nan)
    ts = np.asarray(hours * moment.HOUR, np.int64)
    block = Outcomes(ts, same, same, {}, Categories.of(predicted), Categories.of(labels), nothing, None)
    table = PerformanceSummary.of(contract, Segments(contract), block).to_columns()
    return contract, table.rename_columns(["start" if name == "slot" else name for name in table.column_names])


@dataclass
class Panes:
    """A store of performance panes."""

    table: pa.Table

    def performance(self, *_: Any) -> pa.Table:
        """All of them."""
        return with_delays(self.table)

    def inputs(self, *_: Any) -> pa.Table:
        """The predictions that they are of."""
        return self.table.select(["start", "segment", "n"])


def values(name: str, contract: Contract, table: pa.Table, hours: int, most: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A measure of each hour, in blocks of so many cells."""
    monkeypatch.setattr(confusion, "_CELLS", most)
    nothing = cast("Any", None)
    reads = Reads(cast("Any", Panes(table)), nothing, nothing, Scope(Model(contract, None), ("all",), ("",), ()))
    hourly = Tumbling(moment.HOUR)
    monitor = Monitor(name="w", model="m", measure=name, window=hourly)
    frame = Evaluate(nothing, nothing, nothing, nothing)(monitor, hourly.between(0, (hours - 1) * moment.HOUR), reads)
    return [float(value) for value in frame.value[:, 0, 0]]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
@pytest.mark.parametrize("most", [1, 20, 10**6])
def test_windows_in_parts_are_the_windows(task: Task, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracy and F1 of every hour are scikit-learn's, a class outside the model's being one as well, written in one way or another."""
    rng = np.random.default_rng(9)
    hours, predicted, labels = (
        np.sort(rng.integers(0, 5, 200)),
        rng.choice(["0", "1", "1.0", "7", "7.0", "x"], 200),
        rng.choice(["0", "1", "7"], 200),
    )
    contract, table = panes(task, hours, predicted.tolist(), labels.tolist())
    plain = np.char.replace(predicted, ".0", "")
    average = {"average": "macro"} if task == Task.MULTICLASS else {"labels": ["1"], "average": "macro"}
    each = [(labels[hours == hour], plain[hours == hour]) for hour in range(5)]
    assert values("performance.accuracy", contract, table, 5, most, monkeypatch) == pytest.approx(
        [np.mean(true == said) for true, said in each], abs=1e-12
    )
    assert values("performance.f1", contract, table, 5, most, monkeypatch) == pytest.approx(
        [f1_score(*one, **average) for one in each], abs=1e-12
    )


def test_probabilities_where_classes_are_expected_cost_no_more_than_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 20,000 rows is a class of its own; there is no table of pairs of classes, which would take gigabytes."""
    rows = 20_000
    rng = np.random.default_rng(10)
    hours = np.arange(rows) * 10 // rows
    contract, table = panes(Task.BINARY, hours, [str(one) for one in rng.random(rows)], ["1"] * rows)
    assert values("performance.accuracy", contract, table, 10, 2_000_000, monkeypatch) == [0.0] * 10
    assert values("performance.f1", contract, table, 10, 2_000_000, monkeypatch) == [0.0] * 10


def test_panes_that_keep_other_texts_are_read_in_the_models_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As older programs wrote them: True and 1.0 are 1."""
    contract, _ = panes(Task.BINARY, np.zeros(1, np.int64), ["1"], ["1"])
    texts = {"cell_prediction": [["True", "1", "0.0"]], "cell_label": [["1", "1.0", "True"]]}
    table = pa.table({"start": [0], "segment": ["all"], "n": [10], **texts, "cell_count": [[3, 4, 3]]})
    table = table.append_column("delay_count", pa.array([[]], pa.list_(pa.uint64()))).append_column(
        "delay_sum", pa.array([[]], pa.list_(pa.float64()))
    )
    assert values("performance.accuracy", contract, table, 1, 10**6, monkeypatch) == [0.7]
    assert values("performance.f1", contract, table, 1, 10**6, monkeypatch) == [pytest.approx(14 / 17)]
