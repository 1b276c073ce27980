"""Reads the evidence `ScoredPredictions` of a binary model: predictions in order of their scores, from raw events, or from score bins where a window has very many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Ints, Predictions
from core.contract import PREDICTION, Contract
from core.segment import ALL, Segments
from core.span import Spans
from detectors.ranked import ScoreCells, ScoredPredictions
from detectors.summary import scored
from detectors.summary.inputs import values_of
from detectors.summary.score import edges_of, scores
from monitors.evidence import dense, ranked
from monitors.evidence import scores as score_rows
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once
from monitors.evidence.scores import MOST

_TERMS = ("term", "joint", "n")

parts = at_once


def fields(_column: str) -> PaneFields:
    """Predictions by score."""
    return PaneFields(inputs=frozenset(_TERMS))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[ScoredPredictions]:
    """The predictions of each side, whose parts are pooled. Rows are read once for monitors with the same spans."""

    def made(side: Sequence[Spans]) -> ScoredPredictions:
        key = ("scored predictions", *(times.tobytes() for spans in side for times in (spans.start, spans.end)))
        return reads.once(key, lambda: _of(reads, extent, side))

    return [made(side) for side in sides]


def reference(scope: Scope, _column: str) -> ScoredPredictions:
    """The predictions of the reference, from its score bins; none if there is no reference."""
    table, extent, side = dense.inputs(scope, PREDICTION)
    rows = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    cells, n = _binned(scope, table, extent, side, np.zeros(1, np.int64))
    return ScoredPredictions(n, rows, (cells,), ranked.names(scope.model.contract))


def _of(reads: Reads, extent: Extent, side: Sequence[Spans]) -> ScoredPredictions:
    scope, table = reads.scope, reads.inputs(extent, PREDICTION, _TERMS)
    rows, every = (extent.pooled(dense.Rows(table, extent.cells, names).total("n"), side) for names in (scope.segments, (ALL,)))
    held = every[:, 0]
    n, came, found = np.zeros(rows.shape), np.zeros(rows.shape), list[ScoreCells]()
    few, many = np.flatnonzero((held > 0) & (held <= MOST)), np.flatnonzero(held > MOST)
    for chunk in np.split(few, np.flatnonzero(np.diff(np.cumsum(held[few]) // MOST)) + 1):
        if len(chunk):
            cells, n[chunk], came[chunk] = _exact(reads, [part.take(chunk) for part in side], chunk, int(held[chunk].sum()))
            found.append(cells)
    if len(many):
        cells, n[many] = _binned(scope, table, extent, [part.take(many) for part in side], many)
        found.append(cells)
    gone = score_rows.lost(reads, came, rows, held > MOST)
    return ScoredPredictions(np.where(gone, rows, n), rows, (ranked.joined(found),), ranked.names(scope.model.contract), gone)


def _exact(reads: Reads, side: Sequence[Spans], windows: Ints, most: int) -> tuple[ScoreCells, Floats, Floats]:
    """Cells of one score each, from rows, and the rows with a score, and all that came (windows, segments); `windows` are the places of the spans in the block."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    block, space = reads.sample(reads.slots_of(side), most), Segments(contract)
    if block is None:
        nothing = np.zeros((len(windows), len(segments)))
        return ranked.cells_of(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0)), nothing, nothing
    held, score = score_rows.places(block.ts, _dimensions(contract, block, space), space, side, segments), scores(contract, block)[:, 0]
    row, key = (np.concatenate([part[at] for part in held]) for at in (0, 1))
    there = np.isfinite(score[row])
    n, came = (
        np.bincount(keys, minlength=len(windows) * len(segments)).reshape(len(windows), len(segments)).astype(np.float64)
        for keys in (key[there], key)
    )
    place = windows[key // len(segments)] * len(segments) + key % len(segments)
    return ranked.cells_of(place, np.zeros(len(row), np.bool_), score[row]), n, came


def _dimensions(contract: Contract, block: Predictions, space: Segments) -> dict[str, Categories]:
    values = values_of(contract, block)
    return {name: held for name in space.dimensions if isinstance(held := values[name], Categories)}


def _binned(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans], windows: Ints) -> tuple[ScoreCells, Floats]:
    """The cells of score bins, and the rows with a score (windows, segments)."""
    contract, rows = scope.model.contract, dense.Rows(table, extent.cells, scope.segments)
    begins, edges = scored.begins(contract), np.array(edges_of(contract)[0])
    place = dense.numbers(table["term"]).astype(np.int64)
    at, width = np.where(place < begins[1], place, -1), int(begins[1])
    held = extent.pooled(rows.cells(at, dense.numbers(table["joint"]), width, dense.lengths(table["term"])), side)
    counts = held[..., :-1].reshape(*held.shape[:-1], 2, -1).sum(-2)
    low, high = np.concatenate([[min(0.0, edges[0])], edges]), np.concatenate([edges, [max(1.0, edges[-1])]])
    window, segment, score_bin = np.nonzero(counts)
    where = windows[window] * counts.shape[1] + segment
    order = np.lexsort((-score_bin, where))
    amount = counts[window, segment, score_bin][order]
    cells = ScoreCells(where[order], low[score_bin[order]], high[score_bin[order]], np.zeros(len(order)), amount)
    return cells, counts.sum(-1)
