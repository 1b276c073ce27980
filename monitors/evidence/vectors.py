"""Reads the evidence `VectorSums`: sums of the vectors of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.contract import Embedding
from core.span import Spans
from detectors.evidence import VectorSums
from detectors.summary.vector_column import Sums
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_NAMES = ("term", "joint", "n")
_CELLS = 4_000_000  # how many sums a block has, about
_NONE = Embedding(size=1, center=(0.0,))  # of a column that holds no vectors


def fields(_column: str) -> PaneFields:
    """Sums by place."""
    return PaneFields(inputs=frozenset(_NAMES))


def parts(reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` sums."""
    width = max((Sums.of(column.embedding).width for column in reads.scope.model.contract.features if column.embedding), default=1)
    size = max(1, _CELLS // (width * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[VectorSums]:
    """The sums of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    table = reads.inputs(extent, column, _NAMES)
    start = table["start"].to_numpy()
    table = table.filter(pa.array((start >= within.cells[0]) & (start <= within.cells[-1])))
    return [_of(reads.scope, column, table, within, side) for side in sides]


def reference(scope: Scope, column: str) -> VectorSums:
    """The sums of the reference; no rows if there is none."""
    return _of(scope, column, *dense.inputs(scope, column))


def _of(scope: Scope, column: str, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> VectorSums:
    known, rows = scope.model.contract.column(column).embedding or _NONE, dense.Rows(table, extent.cells, scope.segments)
    sums = extent.pooled(rows.counts("term", "joint", Sums.of(known).width), side)
    return VectorSums(np.asarray(extent.pooled(rows.total("n"), side)), sums, known)
