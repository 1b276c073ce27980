"""Reads the evidence `Scores`: AUC exactly from outcomes, or from score bins if a window has very many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints
from core.segment import ALL, Segments
from core.span import Spans
from detectors.evidence import Scores
from detectors.performance.roc_auc import mean_roc_auc, roc_auc_binned
from detectors.summary.score import judged, members, scores
from monitors.evidence import dense, score_bins
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

Flags = npt.NDArray[np.bool_]

MOST = 200_000  # the most labelled rows of a window for which AUC is exact

parts = at_once


def fields(_column: str) -> PaneFields:
    """Labelled rows; score bins are read only if a window has very many of these."""
    return PaneFields(performance=frozenset({"n"}))


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]], most: int = MOST) -> list[Scores]:
    """The scores of each side, whose parts are pooled. Rows are read once for all monitors with the same spans."""

    def made(side: Sequence[Spans]) -> Scores:
        key = ("scores", most, *(times.tobytes() for spans in side for times in (spans.start, spans.end)))
        return reads.once(key, lambda: _of(reads, extent, side, most))

    return [made(side) for side in sides]


def reference(scope: Scope, _column: str) -> Scores:
    """The scores of the reference, from all of its rows; none if there is no reference."""
    held = scope.model.reference.auc if scope.model.reference else {}
    kept = [held.get(segment, (np.nan, 0)) for segment in scope.segments]
    n = np.array([[n for _, n in kept]], np.float64)
    return Scores(n, n, np.array([[value for value, _ in kept]]))


def _of(reads: Reads, extent: Extent, side: Sequence[Spans], most: int) -> Scores:
    segments, table = reads.scope.segments, reads.performance(extent, ("n",))
    held = labelled(reads, extent, side)
    each = extent.pooled(dense.Rows(table, extent.cells, segments).total("n"), side)
    value, n, positive, bound, came = (np.full(each.shape, empty) for empty in (np.nan, 0.0, np.nan, 0.0, 0.0))
    few = np.flatnonzero((held > 0) & (held <= most))
    for chunk in np.split(few, np.flatnonzero(np.diff(np.cumsum(held[few]) // most)) + 1):
        if len(chunk):
            value[chunk], n[chunk], positive[chunk], came[chunk] = _exact(reads, [part.take(chunk) for part in side])
    many = held > most
    if many.any():
        value[many], n[many], positive[many], bound[many] = _binned(reads, extent, [part.take(many) for part in side])
    gone = lost(reads, came, each, many)
    return Scores(np.where(gone, each, n), each, value, positive, bound, gone)


def lost(reads: Reads, came: Floats, counted: Floats, many: Flags) -> Flags:
    """Where fewer raw events came than panes count (windows, segments). They are not read for windows of very `many` rows (windows,), and of a reference some are kept."""
    return (came < counted) & ~many[:, None] & (not reads.scope.model.contract.is_reference)


def labelled(reads: Reads, extent: Extent, side: Sequence[Spans]) -> Floats:
    """The labelled rows of all segments together in each span (spans,)."""
    table = reads.performance(extent, ("n",))
    return extent.pooled(dense.Rows(table, extent.cells, (ALL,)).total("n"), side)[:, 0]


def rows(reads: Reads, side: Sequence[Spans]) -> tuple[Ints, Flags, Floats]:
    """The labelled rows of spans: the index of (span, segment) (n,), and for each judged class whether it is the label, and its score, NaN without one (n, classes).

    A row comes once for each span and segment that holds it.
    """
    contract, segments, classes = reads.scope.model.contract, reads.scope.segments, len(judged(reads.scope.model.contract))
    slots, space = reads.slots_of(side), Segments(contract)
    keys, truth, score = [np.zeros(0, np.int64)], [np.zeros((0, classes), np.bool_)], [np.zeros((0, classes))]
    for block in reads.outcomes(slots):
        if not isinstance(block.label, Categories):
            continue
        true, scored_rows = members(contract, block.label), scores(contract, block)
        for row, key in places(block.ts, block.dimensions, space, side, segments):
            keys.append(key)
            truth.append(true[row])
            score.append(scored_rows[row])
    return np.concatenate(keys), np.concatenate(truth), np.concatenate(score)


def _exact(reads: Reads, side: Sequence[Spans]) -> tuple[Floats, Floats, Floats, Floats]:
    """AUC, rows with a score, those of the one class that is judged (NaN if there are several), by sorting the rows, and all rows that came: each (windows, segments)."""
    key, truth, held = rows(reads, side)
    shape = (len(side[0]), len(reads.scope.segments))
    own, came = np.full(shape, np.nan), np.bincount(key, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    if not len(key) or not held.shape[1]:
        return np.full(shape, np.nan), np.zeros(shape), own, came
    value, n = mean_roc_auc(key, shape[0] * shape[1], truth, held)
    if held.shape[1] == 1:
        own = np.bincount(key[truth[:, 0] & np.isfinite(held[:, 0])], minlength=len(n)).astype(np.float64).reshape(shape)
    return value.reshape(shape), n.reshape(shape).astype(np.float64), own, came


def places(
    ts: Ints, dimensions: Mapping[str, Categories], space: Segments, side: Sequence[Spans], segments: tuple[str, ...]
) -> list[tuple[npt.NDArray[np.intp], Ints]]:
    """For each grouping the rows, and the index of the (window, segment) of each; a row comes once for each window that holds it."""
    order = np.argsort(ts, kind="stable")
    held = [_held(ts[order], part) for part in side]
    row = order[np.concatenate([rows for rows, _ in held])]
    window = np.concatenate([windows for _, windows in held])
    code = {segment: place for place, segment in enumerate(segments)}
    found = []
    for numbers in space.assign(len(ts), dimensions):
        distinct, codes = np.unique(numbers, return_inverse=True)
        segment = np.array([code.get(space.name(int(number)), -1) for number in distinct], np.int64)[codes][row]
        wanted = segment >= 0
        found.append((row[wanted], window[wanted] * len(segments) + segment[wanted]))
    return found


def _held(ts: Ints, spans: Spans) -> tuple[Ints, Ints]:
    """The indices of the ascending times that each span holds, and the indices of these spans, one after the other."""
    first, after = np.searchsorted(ts, spans.start), np.searchsorted(ts, spans.end)
    each = after - first
    within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    return np.repeat(first, each) + within, np.repeat(np.arange(len(spans)), each)


def _binned(reads: Reads, extent: Extent, side: Sequence[Spans]) -> tuple[Floats, Floats, Floats, Floats]:
    """The first three of `_exact`, from score bins: the plain mean over the classes that have both sides; and the bound of its error."""
    held = score_bins.tables(reads.scope, reads.performance(extent, score_bins.NAMES), extent, side)
    found = [
        roc_auc_binned(one.positive, one.negative, one.positive_sum, one.negative_sum, np.array(one.edges)) for one in held.of.values()
    ]
    each, errors = (np.stack([one[side] for one in found]) for side in (0, 1))
    own = next(iter(held.of.values())).positive.sum(-1) if len(held.of) == 1 else np.full(held.n.shape, np.nan)
    have = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        value, bound = (np.where(have, one, 0.0).sum(axis=0) / have.sum(axis=0) for one in (each, errors))
    return value, held.n, own, np.nan_to_num(bound)
