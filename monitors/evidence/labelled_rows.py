"""Reads the evidence `LabelledRows`: rows with their labels, the columns that an expression names among them, when it is summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from core.block import Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import Contract, Task
from core.segment import Segments
from core.span import Spans
from detectors.labelled_rows import MOST, LabelledRows, RowSums
from detectors.summary.loss import residual
from detectors.user import words
from detectors.user.expression import Expression, Rows, key
from monitors.evidence import dense, scores
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once

_EVER = Spans.of([(-(1 << 62), 1 << 62)])

parts = at_once
fields = scores.fields


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[LabelledRows]:
    """The labelled rows of each side, whose parts are pooled."""
    return [_of(reads, extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> LabelledRows:
    """How many labelled rows the reference has, without their values, which come by `reference_rows`."""
    table, extent, side = dense.reference(scope)
    n = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    return LabelledRows(n, np.zeros(n.shape, np.bool_), scope.model.contract, lambda _: _nothing(n.shape), sampled=True)


def reference_rows(reads: Reads) -> LabelledRows:
    """The labelled rows of the reference that are kept; n counts them. Raises Retryable while they are not in the fact store."""
    contract, shape = reads.scope.model.contract, (1, len(reads.scope.segments))
    nothing = Expression("", (), lambda _: np.float64(np.nan))

    @cache
    def sums(amount: Expression) -> RowSums:
        return _summed(reads, reads.outcomes_of_reference(columns=amount.columns), (_EVER,), amount)

    return LabelledRows(sums(nothing).rows, np.zeros(shape, np.bool_), contract, sums, sampled=True)


def _of(reads: Reads, extent: Extent, side: Sequence[Spans]) -> LabelledRows:
    scope, table = reads.scope, reads.performance(extent, ("n",))
    n = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    held = scores.labelled(reads, extent, side)

    @cache
    def sums(amount: Expression) -> RowSums:
        found, few = _nothing(n.shape), np.flatnonzero((held > 0) & (held <= MOST))
        if len(few):
            for whole, part in zip(found, _of_spans(reads, extent, [part.take(few) for part in side], amount), strict=True):
                whole[few] = part
        return found

    return LabelledRows(n, (held > MOST)[:, None] & (n > 0), scope.model.contract, sums, sampled=scope.model.contract.is_reference)


def _of_spans(reads: Reads, extent: Extent, side: Sequence[Spans], amount: Expression) -> RowSums:
    """The sums of the rows of spans. The rows of a cell are read once, however many spans hold it, and about `MOST` rows are held at a time."""
    own = extent.part(side[0].join(*side[1:]))
    cells = Spans(own.cells, own.ends)
    rows, sums = scores.labelled(reads, own, (cells,)), np.zeros((len(cells), len(reads.scope.segments), len(RowSums._fields)))
    there = np.flatnonzero(rows)
    for chunk in np.split(there, np.flatnonzero(np.diff(np.cumsum(rows[there]) // MOST)) + 1):
        spans = (cells.take(chunk),)
        blocks = reads.outcomes(reads.slots_of(spans), columns=amount.columns) if len(chunk) else ()
        sums[chunk] = np.stack(_summed(reads, blocks, spans, amount), axis=-1)
    return _unstacked(own.pooled(sums, side, lambda one, other: np.stack(_unstacked(one).joined(_unstacked(other)), axis=-1)))


def _unstacked(sums: Floats) -> RowSums:
    return RowSums(*np.moveaxis(sums, -1, 0))


def _nothing(shape: tuple[int, ...]) -> RowSums:
    return RowSums(*(np.zeros(shape) for _ in RowSums._fields))


def _summed(reads: Reads, blocks: Iterable[Outcomes], side: Sequence[Spans], amount: Expression) -> RowSums:
    """The sums of the rows of blocks in each span and segment: (spans, segments)."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    space, shape = Segments(contract), (len(side[0]), len(segments))
    keys, values = [np.zeros(0, np.int64)], [np.zeros(0)]
    for block in blocks:
        taken = block.take(np.flatnonzero(paired(block)))
        each = amount.of(_rows(contract, taken), len(taken))
        for row, place in scores.places(taken.ts, taken.dimensions, space, side, segments):
            keys.append(place)
            values.append(each[row])
    return _tallied(np.concatenate(keys), np.concatenate(values), shape)


def _tallied(place: Ints, value: Floats, shape: tuple[int, int]) -> RowSums:
    """The sums of values by their place in an array of this shape."""
    size, there = shape[0] * shape[1], ~np.isnan(value)
    rows = np.bincount(place, minlength=size)
    place, value = place[there], value[there]
    order = np.lexsort((value, place))  # a sum of floats depends on their order, and rows come in any
    place, value = place[order], value[order]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        count, total = np.bincount(place, minlength=size), np.bincount(place, value, size)
        centred = np.bincount(place, (value - (total / count)[place]) ** 2, size)
    return RowSums(*(np.asarray(one, np.float64).reshape(shape) for one in (rows, count, total, centred)))


def paired(block: Outcomes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The rows that performance panes count: of a regression those whose prediction and label are numbers."""
    if isinstance(block.label, np.ndarray) and isinstance(block.prediction, np.ndarray):
        return np.asarray(~np.isnan(residual(block)), np.bool_)
    return np.ones(len(block), np.bool_)


def _rows(contract: Contract, block: Outcomes) -> Rows:
    """The columns of rows as expressions take them; classes are those of the contract that they mean."""
    known, outputs = Classes.of(contract), {"prediction": block.prediction, "label": block.label}
    found = {
        name: known.column(one) if contract.task != Task.REGRESSION and not isinstance(one, np.ndarray) else one
        for name, one in outputs.items()
    }
    found |= {"score": block.score} | {key(name): one for name, one in block.columns.items()}
    return {name: words.finite(one) for name, one in found.items()}
