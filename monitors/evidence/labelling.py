"""Reads the evidence `Labelling`: how many predictions there are, and how many of them have a label."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from core.contract import PREDICTION
from core.span import Spans
from detectors.evidence import Labelling
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n",)

parts = at_once


def fields(_column: str) -> PaneFields:
    """How many labelled rows a pane has."""
    return PaneFields(performance=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Labelling]:
    """The rows of each side, whose parts are pooled."""
    predictions, labelled = reads.predictions(extent), reads.performance(extent, _NAMES)
    return [_of(reads.scope, predictions, labelled, extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> Labelling:
    """The rows of the reference; none if there is no reference."""
    predictions, extent, side = dense.inputs(scope, PREDICTION)
    return _of(scope, predictions, dense.reference(scope)[0], extent, side)


def _of(scope: Scope, predictions: pa.Table, labelled: pa.Table, extent: Extent, side: Sequence[Spans]) -> Labelling:
    held = (dense.Rows(table, extent.cells, scope.segments).total("n") for table in (predictions, labelled))
    return Labelling(*(extent.pooled(one, side) for one in held))
