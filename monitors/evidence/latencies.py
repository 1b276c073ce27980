"""Reads the evidence `Latencies`: latencies by bin, and their extremes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.contract import PREDICTION, Contract
from core.span import Spans
from detectors.serving import LATENCY, Latencies
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n", "bin", "count", "low", "high")

parts = at_once


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that are read: `@latency_ms`, or `@prediction` if the contract does not have it, which tells how many rows there are."""
    return (LATENCY,) if any(column.name == LATENCY for column in contract.signals) else (PREDICTION,)


def fields(_column: str) -> PaneFields:
    """Counts by bin, and extremes."""
    return PaneFields(inputs=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Latencies]:
    """The latencies of each side, whose parts are pooled."""
    (name,) = columns(reads.scope.model.contract)
    return [_of(reads.scope, name, reads.inputs(extent, name, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> Latencies:
    """The latencies of the reference; none if there is none."""
    (name,) = columns(scope.model.contract)
    return _of(scope, name, *dense.inputs(scope, name))


def _of(scope: Scope, name: str, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Latencies:
    rows = dense.Rows(table, extent.cells, scope.segments)
    n = extent.pooled(rows.total("n"), side)
    if name != LATENCY:
        return Latencies(n, np.zeros((*n.shape, 0)), np.full(n.shape, np.inf), np.full(n.shape, -np.inf), None)
    column = scope.model.contract.column(name)
    return Latencies(
        n=n,
        counts=extent.pooled(rows.counts("bin", "count", column.bins), side),
        low=extent.pooled(rows.extreme("low", np.inf), side, np.minimum, np.inf),
        high=extent.pooled(rows.extreme("high", -np.inf), side, np.maximum, -np.inf),
        column=column,
    )
