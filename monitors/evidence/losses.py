"""Sums of losses."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from core.span import Spans
from detectors.evidence import Losses
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once

_COLUMNS = {"absolute": "absolute_sum", "square": "square_sum"}
_NAMES = ("n", *_COLUMNS.values())

parts = at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Losses]:
    """The sums of each side, whose parts are pooled."""
    return [_of(reads.scope, reads.performance(extent, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> Losses:
    """Those of the reference; no rows where there is none."""
    return _of(scope, *dense.reference(scope))


def _of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Losses:
    rows = dense.Rows(table, extent.cells, scope.segments)
    return Losses(
        extent.pooled(rows.total("n"), side),
        {name: extent.pooled(rows.total(column), side) for name, column in _COLUMNS.items()},
    )
