"""Reads the evidence `Late`: how many predictions came late."""

from __future__ import annotations

from collections.abc import Sequence

from core import duration
from core.span import Spans
from detectors.arrival import LATE, Late
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields, no_reference

_AFTER = tuple(map(duration.parse, LATE))

fields, parts = no_fields, at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Late]:
    """The predictions of each side, whose parts are pooled."""
    table = reads.stream(extent, "late", lambda stream, model, cells: stream.late(model, _AFTER, *cells))
    rows = dense.Rows(table, extent.cells, reads.scope.segments)
    return [
        Late(
            extent.pooled(rows.total("n"), side), {text: extent.pooled(rows.total(f"late{index}"), side) for index, text in enumerate(LATE)}
        )
        for side in sides
    ]


def reference(_scope: Scope, _column: str) -> Late:
    """The grammar refuses the reference as a baseline."""
    return no_reference()
