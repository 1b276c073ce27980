"""Reads the evidence `Volume`: how many predictions there are, and how many are expected by the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core import moment
from core.block import Floats, Ints
from core.contract import PREDICTION
from core.span import Spans
from detectors.arrival import Volume
from detectors.quality.season import Season
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields

fields, parts = no_fields, at_once


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Volume]:
    """The rows of each side, whose parts are pooled; for the first one, the target, what is expected."""
    rows = dense.Rows(reads.predictions(extent), extent.cells, reads.scope.segments).total("n")
    (target,), *others = sides
    season = reads.of_reference(("season", reads.scope.groupings, reads.scope.segments), lambda: _season(reads))
    expected, phi, windows = _unknown(target, reads) if season is None else _expected(season, target)
    return [
        Volume(extent.pooled(rows, (target,)), expected, phi, windows),
        *(_of_others(extent.pooled(rows, side), target, side, reads) for side in others),
    ]


def reference(scope: Scope, _column: str) -> Volume:
    """All rows of the reference; none if there is no reference."""
    table, extent, side = dense.inputs(scope, PREDICTION)
    n = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    nothing = np.full(n.shape, np.nan)
    return Volume(n, nothing, nothing, np.zeros(n.shape, np.int64), of_reference=True)


def _expected(season: Season, target: Spans) -> tuple[Floats, Floats, Ints]:
    """The rows that are expected, their dispersion, and of how many windows this is: each is that of the window, whatever others are evaluated with it."""
    expected = season.expected(target)
    lengths, place = np.unique(target.end - target.start, return_inverse=True)
    found = [season.dispersion(int(length)) for length in lengths]
    phi = np.array([each for each, _ in found]).reshape(-1, expected.shape[1])[place]
    windows = np.array([many for _, many in found], np.int64)[place]
    return expected, phi, np.broadcast_to(windows[:, None], expected.shape)


def _unknown(spans: Spans, reads: Reads) -> tuple[Floats, Floats, Ints]:
    nothing = np.full((len(spans), len(reads.scope.segments)), np.nan)
    return nothing, nothing, np.zeros(nothing.shape, np.int64)


def _of_others(n: Floats, target: Spans, side: Sequence[Spans], reads: Reads) -> Volume:
    """The rows of a baseline, and how many are expected of them in a span as long as the target. A part counts from the first event on, one that is no longer than the target in whole."""
    slots = reads.slots_of_version
    first = int(slots[0]) if len(slots) else 0
    length, covered = target.end - target.start, np.zeros(len(target))
    for part in side:
        own = np.where(part.end - part.start > length, part.end - np.maximum(part.start, first), part.end - part.start)
        covered += np.where(part.end > first, own, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(covered[:, None] > 0, n * length[:, None] / covered[:, None], n)
    return Volume(n, expected, np.full(n.shape, np.nan), np.zeros(n.shape, np.int64))


def _season(reads: Reads) -> Season | None:
    """The rows of the reference by their time; None if no row has one, or there is no reference."""
    if reads.scope.model.reference is None:
        return None
    table = reads.reference_rows()
    starts = np.unique(table["start"].to_numpy().astype(np.int64))
    starts = starts[starts > moment.EARLIEST]
    if not len(starts):
        return None
    return Season(starts, dense.Rows(table, starts, reads.scope.segments).total("n"), reads.scope.model.contract.pane)
