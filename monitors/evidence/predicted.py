"""Reads the evidence `Predicted`: predictions by score, from input panes; their labels, from performance panes; and the reference's labelled rows by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Floats
from core.contract import PREDICTION, Contract, Task
from core.segment import ALL
from core.span import Spans
from detectors.estimate import ClassScores, Predicted, predictions
from detectors.evidence import Confusion
from detectors.summary import scored
from detectors.summary.score import judged
from monitors.evidence import confusion, dense, score_bins
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

OUTSIDE = "@outside"
_TERMS, _BINS = ("term", "joint", "n"), ("bin", "count")
_LABELS = ("n", "cell_prediction", "cell_label", "cell_count", "score_class", "score_bin", "positive", "negative")
_CELLS = 8_000_000  # how many counts a block has, about
_SIDES = 9  # a window, 7 before it, and a baseline
_OWN = 500  # labelled rows of a class, and of others, that a segment of the reference must have for chances of its own


def fields(_column: str) -> PaneFields:
    """Terms of predictions, bins of `@outside`, and labelled rows by class and by score."""
    return PaneFields(frozenset((*_TERMS, *_BINS)), frozenset(_LABELS))


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns whose input panes are read."""
    return (PREDICTION, *(one.name for one in contract.signals if one.name == OUTSIDE))


def parts(reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` counts, of all sides; and no more than of their confusion."""
    contract, segments = reads.scope.model.contract, len(reads.scope.segments)
    size = max(1, _CELLS // (_SIDES * segments * max(1, int(scored.begins(contract)[-1]))))
    size = min(size, confusion.parts(reads, extent, windows)[0].stop)
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Predicted]:
    """The predictions of each side, whose parts are pooled."""
    contract = reads.scope.model.contract
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    low, high = int(within.cells[0]), int(within.cells[-1])
    names = dict.fromkeys(columns(contract), _BINS) | {PREDICTION: _TERMS}
    found = {name: reads.inputs(extent, name, wanted) for name, wanted in names.items()} | {"": reads.performance(extent, _LABELS)}
    tables = {name: one.filter((pc.field("start") >= low) & (pc.field("start") <= high)) for name, one in found.items()}
    known = reads.once(("known chances",), lambda: _known(reads.scope))
    return [_of(reads.scope, tables, within, side, known) for side in sides]


def reference(scope: Scope, _column: str) -> Predicted:
    """The predictions of the reference; none if there is no reference."""
    contract, (labels, extent, side) = scope.model.contract, dense.reference(scope)
    return _of(scope, {name: dense.inputs(scope, name)[0] for name in columns(contract)} | {"": labels}, extent, side, _known(scope))


def _known(scope: Scope) -> list[Floats]:
    """The labelled rows of the reference by score, for `all` and each segment: for each judged class (1 + segments, 2, bins)."""
    table, extent, side = dense.reference(scope)
    segments = tuple(dict.fromkeys((ALL, *scope.segments)))
    places = [segments.index(one) for one in (ALL, *scope.segments)]
    return [np.stack(both, axis=-2)[0, places] for both in _by_score(scope, table, extent, side, segments)]


def _by_score(
    scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans], segments: tuple[str, ...]
) -> list[tuple[Floats, Floats]]:
    """For each judged class the labelled rows of the class and of others by score, each (windows, segments, bins)."""
    rows, names = dense.Rows(table, extent.cells, segments), ("positive", "negative")
    return [(own, others) for own, others in score_bins.sums(scope.model.contract, rows, table, extent, side, names)]


def _of(scope: Scope, tables: Mapping[str, pa.Table], extent: Extent, side: Sequence[Spans], known: Sequence[Floats]) -> Predicted:
    contract, segments, begins = scope.model.contract, scope.segments, scored.begins(scope.model.contract)
    rows, labels = dense.Rows(tables[PREDICTION], extent.cells, segments), confusion.of(scope, tables[""], extent, side)
    every = extent.pooled(rows.total("n"), side)
    if not scored.kept(contract):
        nothing = np.zeros_like(every)
        return Predicted(
            nothing, every, nothing, binary=False, classes=(), labelled=labels, labels=nothing, outside={}, unknown=scored.UNKNOWN
        )
    table, names = tables[PREDICTION], judged(contract)
    lengths, place, amount = dense.lengths(table["term"]), dense.numbers(table["term"]).astype(np.int64), dense.numbers(table["joint"])
    labelled, measured = _by_score(scope, tables[""], extent, side, segments), np.zeros_like(every)
    classes, without = [], []
    for name, begin, end, (own, others), chances in zip(names, begins[:-1], begins[1:], labelled, known, strict=True):
        at = np.where((place >= begin) & (place < end), place - begin, -1)
        held = extent.pooled(rows.cells(at, amount, int(end - begin), lengths), side)
        counts, measured = held[..., :-1].reshape(*every.shape, 2, -1), held.sum(-1)
        enough = (chances[1:].sum(-1) >= _OWN).all(-1)
        chosen = np.where(enough[:, None, None], chances[1:], chances[0])
        classes.append(ClassScores(counts, own, others, chosen, labels.classes.index(name)))
        without.append(counts.sum(-2)[..., chances[0].sum(0) == 0].sum(-1))
    binary = contract.task == Task.BINARY
    n = predictions(classes, binary=binary)
    single = max(float((one[0].sum(0) == 1).sum() / max(one[0].sum(), 1.0)) for one in known)
    outside = {"scores": (np.max(without, axis=0), single)}
    if OUTSIDE in tables:
        outside["features"] = (_outside(contract, tables[OUTSIDE], extent, side, segments), by_chance(scope, len(contract.features)))
    return Predicted(
        n=n,
        rows=every,
        measured=measured,
        binary=binary,
        classes=tuple(classes),
        labelled=labels,
        labels=np.where(n == every, labels.n, _scored(classes, labels, binary=binary)),
        outside=outside,
    )


def _scored(classes: Sequence[ClassScores], labels: Confusion, *, binary: bool) -> Floats:
    """How many labelled rows have a score (...), at least. For more than two classes these are the rows that have all scores, less those whose prediction has none of its own."""
    every = np.min([(one.own + one.others).sum(-1) for one in classes], axis=0)
    return np.asarray(
        every if binary else np.maximum(every - labels.n + labels.predicted[..., [one.place for one in classes]].sum(-1), 0.0)
    )


def _outside(contract: Contract, table: pa.Table, extent: Extent, side: Sequence[Spans], segments: tuple[str, ...]) -> Floats:
    """The rows with a feature outside of the reference: those of all value bins of `@outside` but the first, which is 0."""
    column = contract.column(OUTSIDE)
    counts = extent.pooled(dense.Rows(table, extent.cells, segments).counts(*_BINS, column.bins), side)
    return np.asarray(counts[..., 1 : column.values].sum(-1))


def by_chance(scope: Scope, columns: int) -> float:
    """The share of rows to expect with a value below the least or above the largest of N rows like them in one of some columns: 2/(N + 1) a column at most."""
    rows = scope.model.reference.rows.get(ALL, 0) if scope.model.reference else 0
    return min(1.0, 2 * columns / (rows + 1))
