"""Reads labelled rows as they were known when they were due, and sums what bets on them gain, window by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.block import Floats, Ints
from core.segment import Segments
from core.span import Flags, Spans
from detectors.change.harmful import BETS, gain
from detectors.labelled_rows import MOST
from detectors.summary.loss import LossRows
from monitors.evidence import scores
from monitors.evidence.reads import Reads

Loss = Callable[[LossRows], Floats]


@dataclass(frozen=True)
class DueLosses:
    """The rows of windows that were labelled when due: how many (windows, segments), the sum of their losses, and of what each bet gains (windows, segments, bets). `gone` (windows,): panes count predictions whose raw events are not there any more."""

    n: Floats
    total: Floats
    gains: Floats
    gone: Flags


def due_losses(reads: Reads, windows: Spans, loss: Loss, due: int, bound: Floats) -> DueLosses:
    """The losses of rows of disjoint windows, whose labels are those that held `due` microseconds after the end of their slot; `bound` (segments,) is what bets are against.

    About `MOST` predictions are held at a time, in whole windows.
    """
    shape = (len(windows), len(reads.scope.segments))
    found = DueLosses(np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(BETS))), np.zeros(shape[0], np.bool_))
    place = np.searchsorted(windows.end, reads.slots, "right")
    inside = (place < len(windows)) & (windows.start[np.minimum(place, len(windows) - 1)] <= reads.slots)
    slots, rows, place = reads.slots[inside], reads.rows[inside], place[inside]
    if not len(slots):
        return found
    found.gone[place[reads.held(slots) < rows]] = True
    each = np.bincount(place, rows, len(windows))
    for chunk in np.split(np.arange(len(windows)), np.flatnonzero(np.diff(np.cumsum(each) // MOST)) + 1):
        some = slots[(place >= chunk[0]) & (place <= chunk[-1])]
        if len(some):
            _add(found, reads, windows, some, loss, due, bound)
    return found


def _add(found: DueLosses, reads: Reads, windows: Spans, slots: Ints, loss: Loss, due: int, bound: Floats) -> None:
    """Add the rows of slots. Rows of one loss in one place are added as one product, and in the order of losses: a sum of floats depends on the order, and rows come in any."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    keys, values = [np.zeros(0, np.int64)], [np.zeros(0)]
    for block in reads.outcomes(slots, due=due):
        value = loss(LossRows(contract, block))
        for row, place in scores.places(block.ts, block.dimensions, Segments(contract), (windows,), segments):
            known = ~np.isnan(value[row])
            keys.append(place[known])
            values.append(value[row][known])
    key, value = np.concatenate(keys), np.concatenate(values)
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    first = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (np.diff(value, prepend=-1.0) != 0))
    many = np.diff(first, append=len(key)).astype(np.float64)
    key, value = key[first], value[first]
    np.add.at(found.n.reshape(-1), key, many)
    np.add.at(found.total.reshape(-1), key, many * value)
    with np.errstate(invalid="ignore"):
        won = many[:, None] * gain(value, bound[key % len(segments)])
    np.add.at(found.gains.reshape(-1, len(BETS)), key, won)


def losses_of_reference(reads: Reads, loss: Loss) -> list[tuple[Ints, Floats]]:
    """The times and losses of the labelled rows of the reference that are kept, by segment. Raises Retryable while they are not in the fact store."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    found: list[tuple[list[Ints], list[Floats]]] = [([np.zeros(0, np.int64)], [np.zeros(0)]) for _ in segments]
    for block in reads.outcomes_of_reference():
        value = loss(LossRows(contract, block))
        for row, place in scores.places(block.ts, block.dimensions, Segments(contract), (_EVER,), segments):
            for segment in np.unique(place).tolist():
                own = row[(place == segment) & ~np.isnan(value[row])]
                found[segment][0].append(block.ts[own])
                found[segment][1].append(value[own])
    return [(np.concatenate(times), np.concatenate(values)) for times, values in found]


_EVER = Spans.of([(-(1 << 62), 1 << 62)])
