"""Reads the evidence `Volume`: how many predictions there are, and how many are expected by the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core import moment
from core.block import Floats
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
    season = reads.once(("season",), lambda: _season(reads))
    expected, phi, windows = _unknown(target, reads) if season is None else _expected(season, target)
    return [
        Volume(extent.pooled(rows, (target,)), expected, phi, windows),
        *(Volume(extent.pooled(rows, side), *_unknown(side[0], reads)) for side in others),
    ]


def reference(scope: Scope, _column: str) -> Volume:
    """All rows of the reference; none if there is no reference."""
    table, extent, side = dense.inputs(scope, PREDICTION)
    n = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    nothing = np.full(n.shape, np.nan)
    return Volume(n, nothing, nothing, 0, of_reference=True)


def _expected(season: Season, target: Spans) -> tuple[Floats, Floats, int]:
    phi, windows = season.dispersion(int(np.median(target.end - target.start)))
    return season.expected(target), phi, windows


def _unknown(spans: Spans, reads: Reads) -> tuple[Floats, Floats, int]:
    nothing = np.full((len(spans), len(reads.scope.segments)), np.nan)
    return nothing, nothing, 0


def _season(reads: Reads) -> Season | None:
    """The rows of the reference by their time; None if no row has one."""
    table = reads.reference_rows()
    starts = np.unique(table["start"].to_numpy().astype(np.int64))
    starts = starts[starts > moment.EARLIEST]
    if not len(starts):
        return None
    return Season(starts, dense.Rows(table, starts, reads.scope.segments).total("n"), reads.scope.model.contract.pane)
