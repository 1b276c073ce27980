"""Reads the evidence `Delays`: labels by the bin of their delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.span import Spans
from detectors.evidence import BEFORE, Delays
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_NAMES = ("n", "delay_bin", "delay_count", "delay_sum")
_CELLS = 2_000_000  # cells of a block
_NO_TIMES = "the reference does not say when its labels came"


def fields(_column: str) -> PaneFields:
    """Labels by the bin of their delay, and sums of delays."""
    return PaneFields(performance=frozenset(_NAMES))


def parts(reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` cells."""
    used = len(np.unique(dense.numbers(reads.performance(extent, _NAMES)["delay_bin"])))
    size = max(1, _CELLS // max(1, used * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Delays]:
    """The labels of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    return [_of(reads.scope, reads.performance(extent, _NAMES), within, side, BEFORE) for side in sides]


def reference(scope: Scope, _column: str) -> Delays:
    """The labels of the reference; none if there is no reference."""
    return _of(scope, *dense.reference(scope), _NO_TIMES)


def _of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans], unknown: str) -> Delays:
    """Only the bins that some label falls into are columns of the block."""
    rows = dense.Rows(table, extent.cells, scope.segments)
    used, place = np.unique(dense.numbers(table["delay_bin"]), return_inverse=True)
    amounts, lengths = [dense.numbers(table[name]) for name in ("delay_count", "delay_sum")], dense.lengths(table["delay_bin"])
    counts, sums = (extent.pooled(held, side) for held in rows.several(place, amounts, len(used), lengths))
    return Delays(extent.pooled(rows.total("n"), side), counts, sums, unknown)
