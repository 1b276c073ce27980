"""Reads the evidence `Distinct`: how many distinct values a column has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Floats
from core.contract import LABEL, Column
from core.span import Spans
from detectors.evidence import Counts, Distinct
from detectors.summary.sketch import REGISTERS, estimate, registers
from monitors.evidence import counts, dense
from monitors.evidence.extent import Extent
from monitors.evidence.raw_rows import rows_of
from monitors.evidence.reads import PaneFields, Reads, Scope

_TEXTS = ("bin", "count", "register", "rank", "n", "measured")
_NUMBERS = ("bin", "count", "low", "high", "n", "measured")
_LABELS = "panes keep counts of labels by bin, and no sketch of those without one"
_CELLS = 4_000_000  # how many registers a block has, about


def fields(column: str) -> PaneFields:
    """Counts by bin, sketches, and extremes of numbers; of labels there are counts only."""
    return counts.fields(column) if column == LABEL else PaneFields(inputs=frozenset((*_TEXTS, *_NUMBERS)))


def parts(reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` registers."""
    size = max(1, _CELLS // (REGISTERS * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Distinct]:
    """The distinct values of each side, whose parts are pooled."""
    if column == LABEL:
        return [_label(held) for held in counts.read(reads, extent, column, sides)]
    what = reads.scope.model.contract.column(column)
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    table = reads.inputs(extent, column, _NUMBERS if what.numeric else _TEXTS)
    table = table.filter((pc.field("start") >= int(within.cells[0])) & (pc.field("start") <= int(within.cells[-1])))
    known = reads.once(("ranks", column), lambda: _ranks(what))
    return [replace(_of(reads.scope, what, table, within, side, known), rows=rows_of(reads, what, side)) for side in sides]


def reference(scope: Scope, column: str) -> Distinct:
    """The evidence of the reference; none if there is no reference."""
    if column == LABEL:
        return _label(counts.reference(scope, column))
    what = scope.model.contract.column(column)
    return _of(scope, what, *dense.inputs(scope, column), _ranks(what))


def _of(scope: Scope, column: Column, table: pa.Table, extent: Extent, side: Sequence[Spans], known: Floats) -> Distinct:
    rows = dense.Rows(table, extent.cells, scope.segments)
    held = extent.pooled(rows.counts("bin", "count", column.bins), side)
    n, measured = (extent.pooled(rows.total(name), side) for name in ("n", "measured"))
    if column.numeric:
        low = extent.pooled(rows.extreme("low", np.inf), side, np.minimum, np.inf)
        high = extent.pooled(rows.extreme("high", -np.inf), side, np.maximum, -np.inf)
        nothing = np.full(n.shape, np.nan)
        return Distinct(n, measured, nothing, nothing, np.where(low <= high, low == high, np.nan))
    ranks = extent.pooled(rows.counts("register", "rank", REGISTERS), side, np.maximum)
    distinct = (held[..., : column.values] > 0).sum(-1) + np.rint(estimate(ranks))
    unseen = held[..., column.values + 1]
    more = np.rint(estimate(np.maximum(ranks, known)) - estimate(known))
    new = np.minimum(np.maximum(more, 1), unseen)  # a row has one value at most, and where there are rows there is one
    return Distinct(n, measured, distinct, new, np.where(distinct > 0, distinct == 1, np.nan), unseen=unseen)


def _ranks(column: Column) -> Floats:
    """The sketch of the values that the reference has and that have no bin of their own: (registers,)."""
    ranks = np.zeros(REGISTERS)
    np.maximum.at(ranks, *registers(column.others))
    return ranks


def _label(held: Counts) -> Distinct:
    """The distinct labels; where some have no bin of their own, they are not known."""
    values = held.counts[..., : held.column.values]
    loose = np.zeros_like(held.n) if held.column.numeric else held.counts[..., held.column.values : held.column.values + 2].sum(-1)
    distinct = np.full(held.n.shape, np.nan) if held.column.numeric else (values > 0).sum(-1)
    single = np.where(distinct > 0, distinct == 1, np.nan)
    measured = np.where((loose > 0) | held.column.numeric, -1.0, held.n)
    return Distinct(held.n, measured, distinct, loose, single, _LABELS)
