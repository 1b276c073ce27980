"""Reads the evidence `ScoreLosses`: sums of the losses of scores, and ranks of the labels' classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.span import Spans
from detectors.evidence import ScoreLosses
from detectors.summary.score import judged
from monitors.evidence import dense, losses
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_NAMES = ("n", "scored", "rank", "rank_count", *losses.SUMS)

parts = at_once


def fields(_column: str) -> PaneFields:
    """All losses of the model, and ranks."""
    return PaneFields(performance=frozenset(_NAMES))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[ScoreLosses]:
    """The sums of each side, whose parts are pooled."""
    return [_of(reads.scope, reads.performance(extent, _NAMES), extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> ScoreLosses:
    """The sums of the reference; no rows if there is none."""
    return _of(scope, *dense.reference(scope))


def _of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> ScoreLosses:
    rows = dense.Rows(table, extent.cells, scope.segments)
    labelled, scored = (extent.pooled(rows.total(name), side) for name in ("n", "scored"))
    ranks = extent.pooled(rows.counts("rank", "rank_count", len(judged(scope.model.contract)) + 1), side)
    return ScoreLosses(scored, labelled, losses.sums(scope, table, extent, side), np.asarray(ranks))
