"""Reads the evidence `Losses`: sums of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from core.span import Spans
from detectors.evidence import Losses, LossSums
from detectors.summary.loss import losses_of
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

SUMS = ("loss", "loss_count", "loss_sum", "loss_square", "panes")
_NAMES = ("n", "largest", *SUMS)

parts = at_once


def fields(_column: str) -> PaneFields:
    """All losses of the model."""
    return PaneFields(performance=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Losses]:
    """The sums of each side, whose parts are pooled."""
    return [_of(reads.scope, reads.performance(extent, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> Losses:
    """The sums of the reference; no rows if there is none."""
    return _of(scope, *dense.reference(scope))


def sums(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Mapping[str, LossSums]:
    """The sums of each loss of the model, of a table with the fields `SUMS`."""
    rows, names = dense.Rows(table, extent.cells, scope.segments), losses_of(scope.model.contract)
    index, each = dense.codes(dense.texts(table["loss"]), {name: at for at, name in enumerate(names)}), dense.lengths(table["loss"])
    amounts = [np.ones(len(index)), *(dense.numbers(table[column]) for column in SUMS[1:4])]
    there, count, total, square = (extent.pooled(held, side) for held in rows.several(index, amounts, len(names), each))
    panes = extent.pooled(rows.total("panes"), side)
    return {name: LossSums(count[..., at], total[..., at], square[..., at], there[..., at] == panes) for at, name in enumerate(names)}


def _of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Losses:
    rows = dense.Rows(table, extent.cells, scope.segments)
    largest = extent.pooled(rows.extreme("largest", 0.0), side, np.maximum)
    return Losses(extent.pooled(rows.total("n"), side), sums(scope, table, extent, side), largest)
