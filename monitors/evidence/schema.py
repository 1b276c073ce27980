"""Reads the evidence `Schema`: nulls and wrong types of all features, and columns that are not in the contract."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

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
    table = reads.stream(extent, "unknown", lambda stream, model, cells: stream.unknown(model, *cells))
    unknown = {
        name: dense.Rows(table.filter(pc.equal(table["name"], name)), extent.cells, segments).total("n")
        for name in sorted(set(table["name"].to_pylist()))
    }
    usual = np.array([_usual(scope, name) for name in names])
    null = np.stack([one[..., contract.column(name).null] for name, one in zip(names, held, strict=True)], axis=-1)
    invalid = np.stack([one[..., contract.column(name).invalid] for name, one in zip(names, held, strict=True)], axis=-1)
    n = dense.Rows(reads.predictions(extent), extent.cells, segments).total("n")
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


def reference(_scope: Scope, _column: str) -> Schema:
    """The grammar refuses the reference as a baseline."""
    return no_reference()


def _usual(scope: Scope, name: str) -> float:
    found = counts.reference(scope, name).counts[0, 0]
    return float(found[scope.model.contract.column(name).null] / found.sum()) if found.sum() else float("nan")
