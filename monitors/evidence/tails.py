"""Reads the evidence `Tails`: the rows of a numeric column beyond the reference's tails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.contract import LABEL
from core.span import Spans
from detectors.evidence import Counts
from detectors.tails import Tails
from monitors.evidence import counts, dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n", "below", "above")
_LABELS = "panes keep counts of labels by bin, and none beyond tails"

parts = at_once


def fields(column: str) -> PaneFields:
    """All rows and those of the tails; of labels counts by bin."""
    return counts.fields(column) if column == LABEL else PaneFields(inputs=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Tails]:
    """The rows of each side, whose parts are pooled."""
    if column == LABEL:
        return [_label(held) for held in counts.read(reads, extent, column, sides)]
    return _of(reads.scope, column, reads.inputs(extent, column, _NAMES), extent, sides)


def reference(scope: Scope, column: str) -> Tails:
    """The rows of the reference; none if there is no reference."""
    if column == LABEL:
        return _label(counts.reference(scope, column))
    table, extent, side = dense.inputs(scope, column)
    return _of(scope, column, table, extent, [side])[0]


def _of(scope: Scope, column: str, table: pa.Table, extent: Extent, sides: Sequence[Sequence[Spans]]) -> list[Tails]:
    rows, what = dense.Rows(table, extent.cells, scope.segments), scope.model.contract.column(column)
    n, below, above = (rows.total(name) for name in _NAMES)
    return [Tails(extent.pooled(n, side), extent.pooled(below, side), extent.pooled(above, side), what) for side in sides]


def _label(held: Counts) -> Tails:
    nothing = np.full(held.n.shape, np.nan)
    return Tails(held.n, nothing, nothing, held.column, _LABELS)
