"""Reads the evidence `Joint`: sums over all features together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.contract import PREDICTION
from core.span import Spans
from detectors.evidence import Joint
from detectors.summary import multivariate
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_NAMES = ("term", "joint", "code", "measured")
_CELLS = 4_000_000  # how many sums a block has, about


def fields(_column: str) -> PaneFields:
    """Sums by place, or the bins that they are made of, and how many rows have them."""
    return PaneFields(inputs=frozenset(_NAMES))


def parts(reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` sums."""
    size = max(1, _CELLS // (_width(reads.scope) * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Joint]:
    """The sums of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    found = (reads.predictions(extent), reads.inputs(extent, multivariate.COLUMN, _NAMES))
    low, high = int(within.cells[0]), int(within.cells[-1])
    rows, table = (one.filter((pc.field("start") >= low) & (pc.field("start") <= high)) for one in found)
    return _of(reads.scope, rows, table, within, sides)


def reference(scope: Scope, _column: str) -> Joint:
    """The sums of the reference; none if there is no reference."""
    rows, extent, side = dense.inputs(scope, PREDICTION)
    (found,) = _of(scope, rows, dense.inputs(scope, multivariate.COLUMN)[0], extent, [side])
    return found


def _width(scope: Scope) -> int:
    known = scope.model.contract.multivariate
    return multivariate.width(known) if known else 1


def _of(scope: Scope, predictions: pa.Table, table: pa.Table, extent: Extent, sides: Sequence[Sequence[Spans]]) -> list[Joint]:
    """The sums of each side, from those of the cells of all of them."""
    known, rows = scope.model.contract.multivariate, dense.Rows(table, extent.cells, scope.segments)
    n = dense.Rows(predictions, extent.cells, scope.segments).total("n")
    if known is None:
        return [Joint(m, np.zeros_like(m), np.zeros((*m.shape, 1)), None) for m in (extent.pooled(n, side) for side in sides)]
    measured, sums = rows.total("measured"), rows.counts("term", "joint", _width(scope))
    columns = tuple(scope.model.contract.column(name) for name in known.columns)
    codes = pc.list_flatten(table["code"]).to_numpy().reshape(-1, len(columns))  # as short as they are: there may be many
    cell = rows.items(dense.lengths(table["code"]) // len(columns))
    if (out := cell < 0).any():
        cell, codes = cell[~out], codes[~out]
    multivariate.add(sums.reshape(-1, sums.shape[-1]), cell, codes, known, columns)
    return [Joint(extent.pooled(n, side), extent.pooled(measured, side), extent.pooled(sums, side), known) for side in sides]
