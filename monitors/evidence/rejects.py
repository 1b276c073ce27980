"""Reads the evidence `Rejects`: how many rows could not be used."""

from __future__ import annotations

from collections.abc import Sequence

from core.span import Spans
from detectors.arrival import Rejects
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields, no_reference

fields, parts = no_fields, at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Rejects]:
    """The rows of each side, whose parts are pooled."""
    table = reads.stream(extent, "rejects", lambda stream, model, cells: stream.rejects(model, *cells))
    rows = dense.Rows(table, extent.cells, reads.scope.segments)
    return [Rejects(*(extent.pooled(rows.total(name), side) for name in ("n", "rejected"))) for side in sides]


def reference(_scope: Scope, _column: str) -> Rejects:
    """The grammar refuses the reference as a baseline."""
    return no_reference()
