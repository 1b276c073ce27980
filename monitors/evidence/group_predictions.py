"""Reads the evidence `GroupPredictions`: predictions by class, whatever the attribute whose groups the segments are."""

from __future__ import annotations

from collections.abc import Sequence

from core.contract import PREDICTION
from core.span import Spans
from detectors.by_group import GroupPredictions
from detectors.evidence import Counts
from monitors.evidence import counts
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

parts = at_once


def fields(_column: str) -> PaneFields:
    """Counts by bin."""
    return counts.fields(PREDICTION)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[GroupPredictions]:
    """The counts of each side, whose parts are pooled."""
    return [_of(held) for held in counts.read(reads, extent, PREDICTION, sides)]


def reference(scope: Scope, _column: str) -> GroupPredictions:
    """The counts of the reference; zeros if there is none."""
    return _of(counts.reference(scope, PREDICTION))


def _of(held: Counts) -> GroupPredictions:
    return GroupPredictions(held.counts, held.column, held.groups)
