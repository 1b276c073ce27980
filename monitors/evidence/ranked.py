"""Reads the evidence `Ranked`: the scores of rows, or of score bins where a window has very many rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from core.block import Floats, Ints
from core.contract import Contract, Task
from core.span import Spans
from detectors.ranked import Ranked, ScoreCells
from detectors.summary.score import judged
from monitors.evidence import dense, score_bins, scores
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope
from monitors.evidence.scores import MOST, Flags

_ROWS = 500_000  # rows of windows that are held at a time

fields = scores.fields


def parts(reads: Reads, extent: Extent, windows: Spans, most: int = MOST) -> list[slice]:
    """How many windows at a time, so that a block holds about `_ROWS` rows, of the windows and of their baselines: each may be as long as the extent. `most` rows of a window are read."""
    held = np.minimum(scores.labelled(reads, extent, (windows,)), most)
    if len(extent.part(windows).cells) < len(extent.cells):
        every = Spans.of([(int(extent.cells[0]), int(extent.ends[-1]))])
        held = held + np.minimum(scores.labelled(reads, extent, (every,)), most)
    cuts = np.flatnonzero(np.diff(np.cumsum(held) // _ROWS)) + 1
    bounds = [0, *cuts.tolist(), len(windows)]
    return [slice(*both) for both in pairwise(bounds)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Ranked]:
    """The scores of each side, whose parts are pooled. Rows are read once for monitors with the same spans, as long as few are held."""
    kept = reads.once(("ranked",), dict[tuple[bytes, ...], Ranked])

    def made(side: Sequence[Spans]) -> Ranked:
        key = tuple(times.tobytes() for spans in side for times in (spans.start, spans.end))
        if key not in kept:
            found = _of(reads, extent, side)
            if sum(one.size for one in kept.values()) + found.size > _ROWS:
                kept.clear()
            kept[key] = found
        return kept[key]

    return [made(side) for side in sides]


def reference(scope: Scope, _column: str) -> Ranked:
    """The scores of the reference, from its score bins; none if there is no reference."""
    table, extent, side = dense.reference(scope)
    labelled = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    cells, n = _binned(scope, table, extent, side, np.zeros(1, np.int64))
    return Ranked(n, labelled, cells, names(scope.model.contract))


def _of(reads: Reads, extent: Extent, side: Sequence[Spans]) -> Ranked:
    scope, table = reads.scope, reads.performance(extent, ("n",))
    each = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    held = scores.labelled(reads, extent, side)
    few, many = np.flatnonzero((held > 0) & (held <= MOST)), np.flatnonzero(held > MOST)
    n, came, parts_of = np.zeros(each.shape), np.zeros(each.shape), []
    if len(few):
        cells, n[few], came[few] = _exact(reads, [spans.take(few) for spans in side], few)
        parts_of.append(cells)
    if len(many):
        bins = reads.performance(extent, score_bins.NAMES)
        cells, n[many] = _binned(scope, bins, extent, [spans.take(many) for spans in side], many)
        parts_of.append(cells)
    classes = len(judged(scope.model.contract))
    together = tuple(joined([part[index] for part in parts_of]) for index in range(classes))
    gone = scores.lost(reads, came, each, held > MOST)
    return Ranked(np.where(gone, each, n), each, together, names(scope.model.contract), gone)


def names(contract: Contract) -> tuple[str, str]:
    """The class that is not positive, and the positive one."""
    if contract.task != Task.BINARY:
        return "", ""
    return next((name for name in contract.classes if name != contract.positive), f"not {contract.positive}"), contract.positive


def _exact(reads: Reads, side: Sequence[Spans], windows: Ints) -> tuple[tuple[ScoreCells, ...], Floats, Floats]:
    """Cells of one score each, from rows, and the rows with a score, and all that came (windows, segments); `windows` (n,) are the places of the spans in the block."""
    key, truth, score = scores.rows(reads, side)
    segments = len(reads.scope.segments)
    n, came = (
        np.bincount(keys, minlength=len(windows) * segments).reshape(len(windows), segments).astype(np.float64)
        for keys in (key[np.isfinite(score).any(axis=1)], key)
    )
    place = windows[key // segments] * segments + key % segments
    return tuple(cells_of(place, truth[:, index], score[:, index]) for index in range(score.shape[1])), n, came


def cells_of(place: Ints, positive: Flags, score: Floats, weight: Floats | None = None) -> ScoreCells:
    """The cells of rows (n,); those without a score do not count. Each counts 1, or its weight."""
    kept = np.isfinite(score)
    each = np.ones(len(score)) if weight is None else weight
    place, positive, score, each = place[kept], positive[kept], score[kept], each[kept]
    order = np.lexsort((each, -score, place))  # by weights at last, of which the sum depends on their order
    place, positive, score, each = place[order], positive[order], score[order], each[order]
    first = np.flatnonzero(np.concatenate([[True], (place[1:] != place[:-1]) | (score[1:] != score[:-1])])[: len(place)])
    rows, own = (np.add.reduceat(amount, first) if len(first) else np.zeros(0) for amount in (each, np.where(positive, each, 0.0)))
    return ScoreCells(place[first], score[first], score[first], own, rows - own)


def _binned(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans], windows: Ints) -> tuple[tuple[ScoreCells, ...], Floats]:
    """The cells of score bins, and the rows with a score (windows, segments)."""
    held, found = score_bins.tables(scope, table, extent, side), []
    for one in held.of.values():
        positive, negative, edges = one.positive, one.negative, np.array(one.edges)
        low, high = np.concatenate([[min(0.0, edges[0])], edges]), np.concatenate([edges, [max(1.0, edges[-1])]])
        window, segment, place = np.nonzero(positive + negative)
        at = windows[window] * positive.shape[1] + segment
        order = np.lexsort((-place, at))
        sides = (positive[window, segment, place][order], negative[window, segment, place][order])
        found.append(ScoreCells(at[order], low[place[order]], high[place[order]], *sides))
    return tuple(found), held.n


def joined(parts_of: Sequence[ScoreCells]) -> ScoreCells:
    """The cells of several windows together, in order of their places."""
    if not parts_of:
        nothing = np.zeros(0)
        return ScoreCells(np.zeros(0, np.int64), nothing, nothing, nothing, nothing)
    place = np.concatenate([part.place for part in parts_of])
    order = np.argsort(place, kind="stable")
    low, high, positive, negative = (
        np.concatenate([getattr(part, name) for part in parts_of])[order] for name in ("low", "high", "positive", "negative")
    )
    return ScoreCells(place[order], low, high, positive, negative)
