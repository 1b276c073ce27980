"""Reads the evidence `Schema`: nulls and wrong types of all features, and columns that are not in the contract."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Floats
from core.span import Spans
from detectors.arrival import Schema
from monitors.evidence import counts, dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once, no_reference

_BINS = ("bin", "count")

parts = at_once


def fields(_column: str) -> PaneFields:
    """Counts by bin."""
    return PaneFields(inputs=frozenset(_BINS))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Schema]:
    """The columns of each side, whose parts are pooled."""
    scope = reads.scope
    contract, segments = scope.model.contract, scope.segments
    names = tuple(column.name for column in contract.features)
    held = [
        dense.Rows(reads.inputs(extent, name, _BINS), extent.cells, segments).counts(*_BINS, contract.column(name).bins) for name in names
    ]
    n = dense.Rows(reads.predictions(extent), extent.cells, segments).total("n")
    unknown = _unknown(reads, extent, n)
    usual = np.array([_usual(scope, name) for name in names])
    null = np.stack([one[..., contract.column(name).null] for name, one in zip(names, held, strict=True)], axis=-1)
    invalid = np.stack([one[..., contract.column(name).invalid] for name, one in zip(names, held, strict=True)], axis=-1)
    return [
        Schema(
            extent.pooled(n, side),
            names,
            extent.pooled(null, side),
            extent.pooled(invalid, side),
            usual,
            {name: extent.pooled(one, side) for name, one in unknown.items()},
        )
        for side in sides
    ]


def _unknown(reads: Reads, extent: Extent, n: Floats) -> dict[str, Floats]:
    """How many of the `n` predictions of each cell have a column that the contract does not have: those that half of a cell's have somewhere, as half of a window's must."""
    table = reads.stream(extent, "unknown", lambda stream, model, cells: stream.unknown(model, *cells))
    start = np.asarray(table["start"].to_numpy(), np.int64)
    cell = np.minimum(np.searchsorted(extent.cells, start), len(extent.cells) - 1)
    often = (extent.cells[cell] == start) & (2 * np.asarray(table["n"].to_numpy(), np.float64) >= n[cell, 0])
    known = {column.name for column in reads.scope.model.contract.columns}  # events may have come under an earlier contract
    names = sorted(set(table["name"].filter(pa.array(often)).to_pylist()) - known)
    return {name: dense.Rows(table.filter(pc.equal(table["name"], name)), extent.cells, reads.scope.segments).total("n") for name in names}


def reference(_scope: Scope, _column: str) -> Schema:
    """The grammar refuses the reference as a baseline."""
    return no_reference()


def _usual(scope: Scope, name: str) -> float:
    found = counts.reference(scope, name).counts[0, 0]
    return float(found[scope.model.contract.column(name).null] / found.sum()) if found.sum() else float("nan")
