"""Reads the evidence `Sums`: counts and sums by bin of a numeric column, and its rows beyond the reference's tails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.contract import LABEL
from core.span import Spans
from detectors.evidence import Counts, Sums
from monitors.evidence import counts, dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("sum_bin", "sum", "below", "above", "n", "measured", "low", "high")
_LABELS = "panes keep counts of labels by bin, and no sums"

parts = at_once


def fields(column: str) -> PaneFields:
    """The fields of counts, and sums by bin, tails and extremes; of labels there are none."""
    if column == LABEL:
        return counts.fields(column)
    return counts.fields(column) | PaneFields(inputs=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Sums]:
    """The sums of each side, whose parts are pooled."""
    if column == LABEL:
        return [_label(held) for held in counts.read(reads, extent, column, sides)]
    table = reads.inputs(extent, column, _NAMES)
    return [
        _of(reads.scope, held, table, extent, side) for held, side in zip(counts.read(reads, extent, column, sides), sides, strict=True)
    ]


def reference(scope: Scope, column: str) -> Sums:
    """The sums of the reference; zeros if there is none."""
    if column == LABEL:
        return _label(counts.reference(scope, column))
    return _of(scope, counts.reference(scope, column), *dense.inputs(scope, column))


def _of(scope: Scope, held: Counts, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Sums:
    rows = dense.Rows(table, extent.cells, scope.segments)
    by_bin = extent.pooled(rows.counts("sum_bin", "sum", held.column.bins), side)
    below, above, n, measured = (extent.pooled(rows.total(name), side) for name in ("below", "above", "n", "measured"))
    low = extent.pooled(rows.extreme("low", np.inf), side, np.minimum, np.inf)
    high = extent.pooled(rows.extreme("high", -np.inf), side, np.maximum, -np.inf)
    low, high = (np.where((n == measured) & np.isfinite(one), one, np.nan) for one in (low, high))
    return Sums(held.counts, held.column, held.groups, by_bin, below, above, low, high, rows=held.rows, of_reference=held.of_reference)


def _label(held: Counts) -> Sums:
    """The counts of labels without sums."""
    nothing = np.full(held.n.shape, np.nan)
    sums = np.full(held.counts.shape, np.nan)
    return Sums(held.counts, held.column, held.groups, sums, *(nothing,) * 4, known=False, unknown=_LABELS)
