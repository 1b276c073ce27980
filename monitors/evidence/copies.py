"""Reads the evidence `Copies`: how many predictions came again."""

from __future__ import annotations

from collections.abc import Sequence

from core.span import Spans
from detectors.arrival import Copies
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields, no_reference

fields, parts = no_fields, at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Copies]:
    """The copies of each side, whose parts are pooled."""
    table = reads.stream(extent, "copies", lambda stream, model, cells: stream.copies(model, *cells))
    copies, counted = (dense.Rows(one, extent.cells, reads.scope.segments).total("n") for one in (table, reads.predictions(extent)))
    return [Copies(extent.pooled(counted + copies, side), extent.pooled(copies, side)) for side in sides]


def reference(_scope: Scope, _column: str) -> Copies:
    """The grammar refuses the reference as a baseline."""
    return no_reference()
