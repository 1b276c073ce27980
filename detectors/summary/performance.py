"""Performance panes: confusion cells, losses, label bins and scores by label, by slot, version, role and segment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Categories, Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import LABEL, Contract, Task
from core.segment import Segments
from detectors.summary.bins import bins
from detectors.summary.delay import DELAY_BINS, UNKNOWN, delay_bins
from detectors.summary.lookup import place
from detectors.summary.loss import LOSSES, NO_RANK, LossRows, losses_of, residual
from detectors.summary.merge import PaneLayout, merge
from detectors.summary.panes import PaneRows
from detectors.summary.score import edges_of, judged, members, scores
from detectors.summary.tally import joined

_COUNTS, _FLOATS, _BINS, _TEXTS = (pa.list_(kind) for kind in (pa.uint64(), pa.float64(), pa.uint16(), pa.string()))

LAYOUT = PaneLayout(
    keys=("slot", "version", "role", "segment"),
    sums=("n", "scored"),
    lists=(
        (("cell_prediction", "cell_label"), ("cell_count",)),
        (("loss",), ("loss_count", "loss_sum", "loss_square")),
        (("label_bin",), ("label_count", "label_sum")),
        (("score_class", "score_bin"), ("positive", "negative", "positive_sum", "negative_sum")),
        (("delay_bin",), ("delay_count", "delay_sum")),
        (("rank",), ("rank_count",)),
        (("arrival_class", "arrival_bin"), ("arrival_count",)),
    ),
    maxima=("largest",),
    schema=pa.schema(
        [
            *(("slot", pa.int64()), ("version", pa.string()), ("role", pa.string()), ("segment", pa.string())),
            *(("n", pa.uint64()), ("scored", pa.uint64())),
            *(("cell_prediction", _TEXTS), ("cell_label", _TEXTS), ("cell_count", _COUNTS)),
            *(("loss", _TEXTS), ("loss_count", _COUNTS), ("loss_sum", _FLOATS), ("loss_square", _FLOATS)),
            *(("label_bin", _BINS), ("label_count", _COUNTS), ("label_sum", _FLOATS)),
            *(("score_class", _TEXTS), ("score_bin", _BINS), ("positive", _COUNTS), ("negative", _COUNTS)),
            *(("positive_sum", _FLOATS), ("negative_sum", _FLOATS)),
            *(("delay_bin", _BINS), ("delay_count", _COUNTS), ("delay_sum", _FLOATS)),
            *(("largest", pa.float64()), ("rank", _BINS), ("rank_count", _COUNTS)),
            *(("arrival_class", _BINS), ("arrival_bin", _BINS), ("arrival_count", _COUNTS)),
        ]
    ),
)


@dataclass(frozen=True, eq=False)
class PerformanceSummary:
    """An additive summary of outcomes: one row a (slot, version, role, segment), cells and bins as sparse lists.

    For classes `cell_*` count (prediction, label). `score_*` count and sum, by class and score bin, the scores of the rows of that class (positive) and of the
    others, over the rows that have a score for the class; `scored` counts the rows with a score for any class. For regression `n` counts the rows with
    prediction and label. `loss_*` hold for each of the model's losses the rows that have it, its sum and its sum of squares. `delay_*` count labels by the bin
    of their delay (`detectors.summary.delay`) and sum the delays, in seconds. `largest` is the largest absolute error, 0 if there is none. `rank_*` count rows
    by the place of their label's class among the classes, ordered by their score. `arrival_*` count labels by the place of their class among the contract's, one more
    for all others, and by the bin of their delay; only the segment `all` has them.
    Law: `of(a).merge(of(b)) == of(a + b)`.
    """

    table: pa.Table

    @staticmethod
    def zero() -> PerformanceSummary:
        """The summary of nothing."""
        return PerformanceSummary(LAYOUT.empty())

    @staticmethod
    def of(contract: Contract, segments: Segments, outcomes: Outcomes) -> PerformanceSummary:
        """The summary of a block of n outcomes; every row is in one segment of each grouping."""
        if not len(outcomes):
            return PerformanceSummary.zero()
        outcomes = replace(outcomes, prediction=_meant(contract, outcomes.prediction), label=_meant(contract, outcomes.label))
        panes = PaneRows.of(contract, segments, outcomes.ts, outcomes.version, outcomes.role, outcomes.dimensions)
        columns = panes.keys() | _losses(panes, contract, outcomes) | _cells(panes, outcomes)
        columns |= _labels(panes, contract, outcomes) | _scores(panes, contract, outcomes)
        columns |= _delays(panes, contract, outcomes) | _arrivals(panes, contract, outcomes)
        return PerformanceSummary(pa.table(columns).select(LAYOUT.schema.names))

    def add(self, contract: Contract, segments: Segments, outcomes: Outcomes) -> PerformanceSummary:
        """This summary and that of `outcomes`, together."""
        return self.merge(PerformanceSummary.of(contract, segments, outcomes))

    def merge(self, other: PerformanceSummary) -> PerformanceSummary:
        """Both summaries together, rows in order of their keys."""
        return PerformanceSummary(merge(LAYOUT, [self.table, other.table]))

    def to_columns(self) -> pa.Table:
        """One row a (slot, version, role, segment); keys may be dictionaries, the order is any."""
        return self.table

    @staticmethod
    def from_columns(table: pa.Table) -> PerformanceSummary:
        """The summary that `to_columns` gave, or that of an earlier version: without rows with a score, delays, errors, ranks or arrivals, with the sums of residuals as columns."""
        if "scored" not in table.column_names:
            table = table.append_column("scored", pa.array(np.zeros(table.num_rows, np.uint64)))
        if "loss" not in table.column_names:
            table = _with_losses(table)
        if "largest" not in table.column_names:
            table = table.append_column("largest", pa.array(np.zeros(table.num_rows)))
        for name in ("delay_bin", "delay_count", "delay_sum", "rank", "rank_count", "arrival_class", "arrival_bin", "arrival_count"):
            if name not in table.column_names:
                table = table.append_column(name, pa.array([[]] * table.num_rows, LAYOUT.schema.field(name).type))
        return PerformanceSummary(table.select(LAYOUT.schema.names).cast(LAYOUT.schema))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PerformanceSummary) and merge(LAYOUT, [self.table]).equals(merge(LAYOUT, [other.table]))

    __hash__ = None  # type: ignore[assignment]


def _meant(contract: Contract, values: Categories | Floats) -> Categories | Floats:
    """A column of classes, each as the contract's class that it means."""
    return Classes.of(contract).column(values) if isinstance(values, Categories) else values


def _losses(panes: PaneRows, contract: Contract, outcomes: Outcomes) -> dict[str, pa.Array]:
    """n, and the model's losses, each pane's one after the other."""
    names = losses_of(contract)
    rows = LossRows(contract, outcomes)
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is no number gives no value
        values = [LOSSES[name].of(rows) for name in names]
        there = [~np.isnan(each) for each in values]
        filled = [np.where(have, each, 0.0) for have, each in zip(there, values, strict=True)]
        flat: dict[str, list[Floats | Ints]] = {
            "loss_count": [panes.count(have) for have in there],
            "loss_sum": [panes.sum(each) for each in filled],
            "loss_square": [panes.sum(each**2) for each in filled],
        }
    n = panes.n if contract.task != Task.REGRESSION else panes.count(~np.isnan(rows.residual))
    offsets = pa.array(np.arange(len(panes) + 1) * len(names), pa.int32())
    columns = {"n": pa.array(n, pa.uint64()), "loss": pa.ListArray.from_arrays(offsets, pa.array(names * len(panes), pa.string()))}
    for name, arrays in flat.items():
        kind = LAYOUT.schema.field(name).type
        items = np.stack(arrays, axis=1).ravel() if arrays else np.zeros(0)
        columns[name] = pa.ListArray.from_arrays(offsets, pa.array(items).cast(kind.value_type))
    largest = panes.reduce(np.maximum, panes.spread(np.nan_to_num(np.abs(rows.residual), nan=0.0, posinf=np.inf)))
    return columns | {"largest": pa.array(largest)} | _ranks(panes, rows)


def _ranks(panes: PaneRows, rows: LossRows) -> dict[str, pa.Array]:
    """Rows by the rank of their label's class; empty lists but for a multiclass model."""
    if rows.contract.task != Task.MULTICLASS:
        return _empty(panes, LAYOUT.lists[5])
    found = panes.tally(rows.rank, rows.scores.shape[1] + 1, where=np.asarray(rows.rank != NO_RANK, np.bool_))
    return {"rank": found.lists(found.bin, pa.uint16()), "rank_count": found.lists(found.count, pa.uint64())}


def _with_losses(table: pa.Table) -> pa.Table:
    """The table of an earlier version, in which each loss was a column."""
    old = {"error": "error_sum", "absolute": "absolute_sum", "square": "square_sum"}
    rows = table.select(["n", "cell_count", *old.values()]).to_pylist()
    held = [
        [(name, row["n"], row[column], np.nan) for name, column in old.items()] if row["n"] and not row["cell_count"] else []
        for row in rows
    ]
    for index, name in enumerate(("loss", "loss_count", "loss_sum", "loss_square")):
        table = table.append_column(name, pa.array([[loss[index] for loss in row] for row in held], LAYOUT.schema.field(name).type))
    return table


def _cells(panes: PaneRows, outcomes: Outcomes) -> dict[str, pa.Array]:
    """The confusion cells; empty lists for regression."""
    predicted, label = outcomes.prediction, outcomes.label
    if not (isinstance(predicted, Categories) and isinstance(label, Categories)):
        return _empty(panes, LAYOUT.lists[0])
    width = len(label.texts)
    found = panes.tally(predicted.codes.astype(np.int64) * width + label.codes, len(predicted.texts) * width)
    texts = {"cell_prediction": (predicted.texts, found.bin // width), "cell_label": (label.texts, found.bin % width)}
    cells = {name: found.lists(pa.array(kept, pa.string()).take(pa.array(code)), pa.string()) for name, (kept, code) in texts.items()}
    return cells | {"cell_count": found.lists(found.count, pa.uint64())}


def _labels(panes: PaneRows, contract: Contract, outcomes: Outcomes) -> dict[str, pa.Array]:
    """The bins of `@label`."""
    column, label = contract.column(LABEL), outcomes.label
    weight = np.zeros(len(outcomes)) if isinstance(label, Categories) else np.where(np.isfinite(label), label, 0.0)
    found = panes.tally(bins(column, label), column.bins, weight)
    return {
        "label_bin": found.lists(found.bin, pa.uint16()),
        "label_count": found.lists(found.count, pa.uint64()),
        "label_sum": found.lists(found.sums[0], pa.float64()),
    }


def _scores(panes: PaneRows, contract: Contract, outcomes: Outcomes) -> dict[str, pa.Array]:
    """Scores by label, for each judged class one after the other, and how many rows have any score; empty lists if no row has."""
    classes, held = judged(contract), scores(contract, outcomes)
    there = ~np.isnan(held)
    if not there.any() or not isinstance(outcomes.label, Categories):
        return _empty(panes, LAYOUT.lists[3]) | {"scored": pa.array(np.zeros(len(panes), np.uint64))}
    truth = members(contract, outcomes.label)
    edges = edges_of(contract)
    starts = np.cumsum([0, *(len(one) + 1 for one in edges)])
    parts = [
        panes.tally(
            starts[index] + place(edges[index], held[:, index]),
            int(starts[-1]),
            truth[:, index].astype(np.float64),
            np.where(truth[:, index], held[:, index], 0.0),
            np.where(truth[:, index], 0.0, held[:, index]),
            where=np.asarray(there[:, index], np.bool_),
        )
        for index in range(len(classes))
    ]
    found = joined(parts, len(panes))
    index = np.searchsorted(starts, found.bin, side="right") - 1
    positive = found.sums[0].astype(np.int64)
    return {
        "scored": pa.array(panes.count(np.asarray(there.any(axis=1), np.bool_)), pa.uint64()),
        "score_class": found.lists(pa.array(classes, pa.string()).take(pa.array(index)), pa.string()),
        "score_bin": found.lists(found.bin - starts[index], pa.uint16()),
        "positive": found.lists(positive, pa.uint64()),
        "negative": found.lists(found.count - positive, pa.uint64()),
        "positive_sum": found.lists(found.sums[1], pa.float64()),
        "negative_sum": found.lists(found.sums[2], pa.float64()),
    }


def _delays(panes: PaneRows, contract: Contract, outcomes: Outcomes) -> dict[str, pa.Array]:
    """Labels by the bin of their delay; empty lists if no label has a time."""
    if outcomes.delay is None:
        return _empty(panes, LAYOUT.lists[4])
    known = outcomes.delay != UNKNOWN
    if contract.task == Task.REGRESSION:  # these are the rows that `n` counts
        known &= ~np.isnan(residual(outcomes))
    found = panes.tally(delay_bins(outcomes.delay), DELAY_BINS, outcomes.delay / moment.SECOND, where=np.asarray(known, np.bool_))
    return {
        "delay_bin": found.lists(found.bin, pa.uint16()),
        "delay_count": found.lists(found.count, pa.uint64()),
        "delay_sum": found.lists(found.sums[0], pa.float64()),
    }


def _arrivals(panes: PaneRows, contract: Contract, outcomes: Outcomes) -> dict[str, pa.Array]:
    """Labels of all segments together by class and by the bin of their delay; empty lists for a regression, of which `delay_*` tell all."""
    label = outcomes.label
    if outcomes.delay is None or not isinstance(label, Categories):
        return _empty(panes, LAYOUT.lists[6])
    place = {name: index for index, name in enumerate(contract.classes)}
    codes = np.array([place.get(name, len(place)) for name in label.texts], np.int64)[label.codes]
    width = (len(place) + 1) * DELAY_BINS
    everywhere = replace(panes, rows=panes.rows[:1])  # the first grouping is that of `all`
    found = everywhere.tally(codes * DELAY_BINS + delay_bins(outcomes.delay), width, where=np.asarray(outcomes.delay != UNKNOWN, np.bool_))
    return {
        "arrival_class": found.lists(found.bin // DELAY_BINS, pa.uint16()),
        "arrival_bin": found.lists(found.bin % DELAY_BINS, pa.uint16()),
        "arrival_count": found.lists(found.count, pa.uint64()),
    }


def _empty(panes: PaneRows, lists: tuple[tuple[str, ...], tuple[str, ...]]) -> dict[str, pa.Array]:
    """Empty lists for every pane."""
    names = (*lists[0], *lists[1])
    return {name: pa.array([[]] * len(panes), LAYOUT.schema.field(name).type) for name in names}
