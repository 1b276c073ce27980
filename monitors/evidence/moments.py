"""Reads the evidence `Moments`: moments of a numeric column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.contract import LABEL
from core.span import Spans
from detectors.evidence import Counts, Moments
from monitors.evidence import counts, dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_SUMS = ("n", "measured", "total", "square", "absolute", "outside")
_LABELS = "panes keep counts of labels by bin, and no moments"
_NAMES = ("bin", "count", "low", "high", *_SUMS)

parts = at_once


def fields(column: str) -> PaneFields:
    """Sums and extremes; and counts by bin, which give the number of finite values. Of labels there are counts only."""
    if column == LABEL:
        return counts.fields(column)
    return PaneFields(inputs=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Moments]:
    """The moments of each side, whose parts are pooled."""
    if column == LABEL:
        return [_label(held) for held in counts.read(reads, extent, column, sides)]
    return [_of(reads.scope, column, reads.inputs(extent, column, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, column: str) -> Moments:
    """The moments of the reference; no rows if there is none."""
    if column == LABEL:
        return _label(counts.reference(scope, column))
    return _of(scope, column, *dense.inputs(scope, column))


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


def _label(held: Counts) -> Moments:
    """How many labels are numbers, and no moments of them."""
    finite, nothing = held.counts[..., : held.column.values].sum(-1), np.full(held.n.shape, np.nan)
    return Moments(held.n, np.where(held.n > 0, nothing, 0.0), finite, *(nothing,) * 6, column=held.column, unknown=_LABELS)
