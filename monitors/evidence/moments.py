"""Reads the evidence `Moments`: moments of a numeric column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from core.contract import LABEL
from core.span import Spans
from detectors.evidence import Counts, LossSums, Moments
from monitors.evidence import counts, dense, losses
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_SUMS = ("n", "measured", "total", "square", "absolute", "outside")
_LABELS = (
    "of labels panes keep moments beside predictions that are numbers, and no count of those out of range;"
    " `watchkeeper rebuild` makes panes of an earlier version again"
)
_NAMES = ("bin", "count", "low", "high", *_SUMS)

parts = at_once


def fields(column: str) -> PaneFields:
    """Sums and extremes; and counts by bin, which give the number of finite values. Of labels those of performance panes."""
    if column == LABEL:
        return counts.fields(column) | PaneFields(performance=frozenset(losses.SUMS))
    return PaneFields(inputs=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Moments]:
    """The moments of each side, whose parts are pooled."""
    if column == LABEL:
        table = reads.performance(extent, losses.SUMS)
        sums = [losses.sums(reads.scope, table, extent, side) for side in sides]
        return [_label(*each) for each in zip(counts.read(reads, extent, column, sides), sums, strict=True)]
    return [_of(reads.scope, column, reads.inputs(extent, column, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, column: str) -> Moments:
    """The moments of the reference; no rows if there is none."""
    if column == LABEL:
        return _label(counts.reference(scope, column), losses.sums(scope, *dense.reference(scope)))
    table, extent, side = dense.inputs(scope, column)
    total = pa.array([sum(row) for row in table["sum"].to_pylist()], pa.float64())
    return _of(scope, column, table.append_column("total", total), extent, side)


def _of(scope: Scope, column: str, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Moments:
    rows, what = dense.Rows(table, extent.cells, scope.segments), scope.model.contract.column(column)
    finite = np.where(dense.numbers(table["bin"]) < what.null, 0, -1)
    n, measured, total, square, absolute, outside = (extent.pooled(rows.total(name), side) for name in _SUMS)
    return Moments(
        n=n,
        measured=measured,
        total=total,
        square=square,
        absolute=absolute,
        outside=outside,
        finite=extent.pooled(rows.cells(finite, dense.numbers(table["count"]), 1, dense.lengths(table["bin"]))[..., 0], side),
        low=extent.pooled(rows.extreme("low", np.inf), side, np.minimum, np.inf),
        high=extent.pooled(rows.extreme("high", -np.inf), side, np.maximum, -np.inf),
        column=what,
    )


def _label(held: Counts, sums: Mapping[str, LossSums]) -> Moments:
    """The moments of labels that are numbers: panes of a regression sum them as they sum losses, for rows whose prediction is a number too. The extremes are not known."""
    finite, nothing = held.counts[..., : held.column.values].sum(-1), np.full(held.n.shape, np.nan)
    if (label := sums.get("label")) is None or (size := sums.get("label_size")) is None:
        return Moments(held.n, np.where(held.n > 0, nothing, 0.0), finite, *(nothing,) * 6, column=held.column, unknown=_LABELS)
    known = label.known & size.known & (label.count == finite)
    return Moments(
        n=held.n,
        measured=np.where(known, held.n, np.nan),
        finite=finite,
        total=label.total + finite * held.column.middle,
        square=label.square,
        absolute=size.total,
        low=nothing,
        high=nothing,
        outside=nothing,
        column=held.column,
        unknown=_LABELS,
    )
