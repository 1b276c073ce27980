"""Reads the evidence `Losses`: sums of losses."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from core.span import Spans
from detectors.evidence import Losses, LossSums
from detectors.summary.loss import losses_of
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n", "loss", "loss_count", "loss_sum", "loss_square")

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


def _of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Losses:
    rows, names = dense.Rows(table, extent.cells, scope.segments), losses_of(scope.model.contract)
    index, each = dense.codes(dense.texts(table["loss"]), {name: at for at, name in enumerate(names)}), dense.lengths(table["loss"])
    count, total, square = (extent.pooled(rows.cells(index, dense.numbers(table[column]), len(names), each), side) for column in _NAMES[2:])
    by_name = {name: LossSums(count[..., at], total[..., at], square[..., at]) for at, name in enumerate(names)}
    return Losses(extent.pooled(rows.total("n"), side), by_name)
