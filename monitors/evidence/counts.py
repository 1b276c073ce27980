"""Reads the evidence `Counts`: counts by bin of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.block import Floats
from core.contract import LABEL, Column
from core.segment import ALL
from core.span import Spans
from detectors.evidence import Counts
from detectors.groups import groups
from detectors.unseen import once
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.raw_rows import rows_of
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_BINS, _LABELS = ("bin", "count"), ("label_bin", "label_count")

parts = at_once


def fields(column: str) -> PaneFields:
    """Counts by bin; those of labels are in performance panes."""
    return PaneFields(performance=frozenset(_LABELS)) if column == LABEL else PaneFields(inputs=frozenset(_BINS))


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Counts]:
    """The counts of each side, whose parts are pooled."""
    scope, what = reads.scope, reads.scope.model.contract.column(column)
    if column == LABEL:
        held = dense.Rows(reads.performance(extent, _LABELS), extent.cells, scope.segments).counts(*_LABELS, what.bins)
    else:
        held = dense.Rows(reads.inputs(extent, column, _BINS), extent.cells, scope.segments).counts(*_BINS, what.bins)
    binned = groups(what, _reference(scope, what, (ALL,))[0])
    return [Counts(extent.counted(held, side), what, binned, rows=rows_of(reads, what, side)) for side in sides]


def reference(scope: Scope, column: str) -> Counts:
    """The counts of the reference; zeros if there is none."""
    what = scope.model.contract.column(column)
    counts, every = (_reference(scope, what, segments) for segments in (scope.segments, (ALL,)))
    binned = groups(what, every[0])
    single = once(what, binned, every[0], counts)
    return Counts(counts[None], what, binned, of_reference=True, once=None if single is None else single[None])


def _reference(scope: Scope, column: Column, segments: Sequence[str]) -> Floats:
    """(segments, bins)."""
    held = scope.model.reference.counts(column.name) if scope.model.reference else {}
    nothing = np.zeros(column.bins)
    return np.array([held.get(segment, nothing) for segment in segments], np.float64)
