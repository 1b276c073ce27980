"""Reads the evidence `Age`: how long before the end of each window the last event was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core import moment
from core.block import Floats
from core.span import Spans
from detectors.arrival import Age
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields, no_reference

fields, parts = no_fields, at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Age]:
    """The age at the end of each side's spans, of which there is one part."""
    rows = dense.Rows(reads.predictions(extent), extent.cells, reads.scope.segments).total("n")
    return [Age(extent.pooled(rows, side), _ages(reads, side[0])) for side in sides]


def reference(_scope: Scope, _column: str) -> Age:
    """The grammar refuses the reference as a baseline."""
    return no_reference()


def _ages(reads: Reads, spans: Spans) -> Floats:
    """In seconds, NaN where nothing came before: (spans, 1). Spans are whole slots, so the last event before an end is in the last slot before it."""
    slots = reads.slots
    place = np.searchsorted(slots, spans.end) - 1
    last = reads.latest(slots[np.unique(place[place >= 0])])
    ages = [
        (end - last[slot]) / moment.SECOND if at >= 0 and (slot := int(slots[at])) in last else np.nan
        for at, end in zip(place.tolist(), spans.end.tolist(), strict=True)
    ]
    return np.array(ages, np.float64).reshape(-1, 1)
