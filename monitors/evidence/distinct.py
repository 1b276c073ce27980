"""Reads the evidence `Distinct`: how many distinct values a categorical column has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.span import Spans
from detectors.evidence import Distinct
from detectors.summary.sketch import REGISTERS, estimate
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_NAMES = ("bin", "count", "register", "rank", "n", "measured")
_CELLS = 4_000_000  # how many registers a block has, about


def fields(_column: str) -> PaneFields:
    """Counts by bin, and sketches."""
    return PaneFields(inputs=frozenset(_NAMES))


def parts(reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` registers."""
    size = max(1, _CELLS // (REGISTERS * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Distinct]:
    """The distinct values of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    table = reads.inputs(extent, column, _NAMES)
    table = table.filter((pc.field("start") >= int(within.cells[0])) & (pc.field("start") <= int(within.cells[-1])))
    return [_of(reads.scope, column, table, within, side) for side in sides]


def reference(scope: Scope, column: str) -> Distinct:
    """The evidence of the reference; none if there is no reference."""
    return _of(scope, column, *dense.inputs(scope, column))


def _of(scope: Scope, column: str, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Distinct:
    rows, what = dense.Rows(table, extent.cells, scope.segments), scope.model.contract.column(column)
    kept = extent.pooled(rows.counts("bin", "count", what.bins)[..., : what.values], side)
    ranks = extent.pooled(rows.counts("register", "rank", REGISTERS), side, np.maximum)
    n, measured = (extent.pooled(rows.total(name), side) for name in ("n", "measured"))
    return Distinct(n, measured, (kept > 0).sum(-1) + np.rint(estimate(ranks)))
