"""AUC class by class: from rows, from score bins, and under another version of the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from core import moment
from core.block import Categories, Floats, Ints, Outcomes
from core.contract import LABEL, PREDICTION, Column, Contract, Kind, Task
from core.monitor import Monitor
from core.segment import Segments
from core.span import Spans
from core.window.tumbling import Tumbling
from detectors.evidence import Scores
from detectors.summary.performance import PerformanceSummary
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence.conversion import convert_outcomes
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Scope
from monitors.evidence.scores import read
from monitors.model import Model
from validation.replay import with_delays

ROWS = 300
WINDOWS = Tumbling(moment.HOUR).between(0, moment.HOUR)
MONITOR = Monitor(name="auc", model="m", measure="performance.roc_auc", window=Tumbling(moment.HOUR), min_samples=1)


def contract(*classes: str, version: int = 1) -> Contract:
    outputs = tuple(Column(name=name, kind=Kind.CATEGORICAL, categories=classes) for name in (PREDICTION, LABEL))
    return Contract(model="m", version=version, task=Task.MULTICLASS, features=(), outputs=outputs, classes=classes, scored=True)


@dataclass
class History:
    """Events that were taken under one contract; panes are made under that which asks, as an owner makes them."""

    taken: Contract
    rows: Outcomes
    older: bool = False  # panes from before rows with a score were counted

    def contracts(self, _model: str, _slots: Ints, _pane: int) -> list[int]:
        return [self.taken.version]

    def outcomes(self, _contract: Contract, _names: Any, _slots: Ints, _pane: int, *, version: str | None = None, **_: Any) -> Outcomes:
        return self.rows

    def performance(self, asked: Contract, _columns: Any, *_: Any) -> pa.Table:
        table = with_delays(PerformanceSummary.of(asked, Segments(asked), convert_outcomes(self.rows, self.taken, asked)).to_columns())
        table = table.rename_columns(["start" if name == "slot" else name for name in table.column_names])
        return table.set_column(table.column_names.index("scored"), "scored", pa.array([0] * len(table))) if self.older else table

    def inputs(self, asked: Contract, *_: Any) -> pa.Table:
        return self.performance(asked, ()).select(["start", "segment", "n"])

    def scores(self, asked: Contract, most: int) -> Scores:
        """Of both windows, rows of which are sorted up to `most`."""
        reads = evaluate(self, self.taken).reads(Scope(Model(asked, None), ("all",), ("",), ()))
        return read(reads, Extent.of(WINDOWS), "", [(WINDOWS,)], most)[0]


def evaluate(stores: History, taken: Contract) -> Evaluate:
    """What reads these stores."""
    return Evaluate(cast("Any", stores), cast("Any", stores), cast("Any", stores), lambda _model, _version: taken)


def history(scores: Floats, label: Ints, taken: Contract, *, hour: int = 0) -> History:
    """Rows of one hour, predicted as their highest score."""
    n, names = len(label), [*taken.classes]
    same = Categories.of([""] * n)
    highest = np.nan_to_num(scores, nan=-1.0).argmax(axis=1)
    return History(
        taken,
        Outcomes(
            ts=np.full(n, hour * moment.HOUR, np.int64),
            version=same,
            role=same,
            dimensions={},
            prediction=Categories.of([names[one] for one in highest]),
            label=Categories.of([str(one) for one in label]),
            score=np.full(n, np.nan),
            probabilities=scores,
        ),
    )


def drawn() -> tuple[Floats, Ints]:
    """Probabilities of three classes on a grid of score edges, and labels that follow them."""
    rng = np.random.default_rng(8)
    p = rng.dirichlet([1, 1, 1], ROWS)
    return p, np.array([rng.choice(3, p=row) for row in p])


@pytest.mark.parametrize(("most", "within"), [(10**6, 1e-12), (0, 0.02)], ids=["rows", "bins"])
def test_a_row_counts_for_each_class_that_it_has_a_score_of(most: int, within: float) -> None:
    """Of the two highest of three the mean of scikit-learn's over the rows that have each; n counts the rows with any score."""
    p, label = drawn()
    kept = np.where(p == p.min(axis=1, keepdims=True), np.nan, p)
    kept[:7] = np.nan
    there = ~np.isnan(kept)
    each = [roc_auc_score(label[there[:, k]] == k, kept[there[:, k], k]) for k in range(3)]
    known = contract("0", "1", "2")
    found = history(kept, label, known).scores(known, most)
    assert found.roc_auc[0, 0] == pytest.approx(np.mean(each), abs=within)
    assert (found.n.tolist(), found.labelled.tolist(), np.isnan(found.roc_auc[1, 0])) == ([[ROWS - 7], [0]], [[ROWS], [0]], True)


@pytest.mark.parametrize("most", [10**6, 0], ids=["rows", "bins"])
def test_a_class_more_leaves_past_windows_their_auc(most: int) -> None:
    """Events from before have no score for the new class: those of the others stay."""
    p, label = drawn()
    before, after = contract("0", "1", "2"), contract("0", "1", "1.5", "2", version=2)
    found = history(p, label, before).scores(after, most)
    assert found.roc_auc[0, 0] == pytest.approx(roc_auc_score(label, p, multi_class="ovr"), abs=1e-12 if most else 0.02)
    assert found.n[0, 0] == ROWS


def test_panes_from_before_keep_their_n() -> None:
    """Their rows have a score for every class, and do not say how many they are."""
    p, label = drawn()
    known = contract("0", "1", "2")
    assert replace(history(p, label, known), older=True).scores(known, 0).n[0, 0] == ROWS


def test_the_reason_says_what_is_missing() -> None:
    """No labels, no scores, and scores of one side only are three things."""
    p, label = drawn()
    known = contract("0", "1", "2")

    def read(scores: Floats, truth: Ints, start: int = 0) -> tuple[int, str, str | None]:
        found = evaluate(history(scores, truth, known), known)
        scope = Scope(Model(known, None), ("all",), ("",), ())
        frame = found(MONITOR, Spans.of([(start, start + moment.HOUR)]), found.reads(scope))
        reading = next(frame.readings(np.ones((1, 1, 1), np.bool_), np.ones((1, 1, 1), np.int64)))
        return reading.n_target, str(reading.verdict), reading.reason

    assert read(p, label) == (ROWS, "ok", None)
    assert read(p, label, moment.HOUR) == (0, "nodata", "no labelled predictions")
    assert read(np.full_like(p, np.nan), label) == (0, "nodata", "no labelled prediction has a score")
    own = np.where(np.arange(3) == label[:, None], p, np.nan)
    assert read(own, label) == (ROWS, "not_estimable", "no class has a score both for rows of its own and for others")
