"""Reads the evidence `Coverages`: labels that lie in their intervals or sets."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from core.contract import Task
from core.span import Spans
from detectors.certainty import Coverages
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n", "loss", "loss_count", "loss_sum")

parts = at_once


def fields(_column: str) -> PaneFields:
    """Losses."""
    return PaneFields(performance=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Coverages]:
    """The labels of each side, whose parts are pooled."""
    return _of(reads.scope, reads.performance(extent, _NAMES), extent, sides)


def reference(scope: Scope, _column: str) -> Coverages:
    """The labels of the reference; none if there is none."""
    table, extent, side = dense.reference(scope)
    return _of(scope, table, extent, [side])[0]


def _of(scope: Scope, table: pa.Table, extent: Extent, sides: Sequence[Sequence[Spans]]) -> list[Coverages]:
    rows = dense.Rows(table, extent.cells, scope.segments)
    loss = "in_interval" if scope.model.contract.task == Task.REGRESSION else "in_set"
    place, each = dense.codes(dense.texts(table["loss"]), {loss: 0}), dense.lengths(table["loss"])
    amounts = [dense.numbers(table[name]) for name in ("loss_sum", "loss_count")]
    held, having = (found[..., 0] for found in rows.several(place, amounts, 1, each))
    n = rows.total("n")
    return [Coverages(extent.pooled(n, side), extent.pooled(held, side), extent.pooled(having, side)) for side in sides]
