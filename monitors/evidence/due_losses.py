"""Reads labelled rows as they were known when they were due, and sums what bets on them gain, window by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

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

_AT_ONCE = 2_000_000  # predictions of a window: each read of some looks through all labels


@dataclass(frozen=True)
class DueLosses:
    """The rows of windows that were labelled when due: how many (windows, segments), the sum of their losses, and of what each bet gains (windows, segments, bets). `gone` (windows,): panes count predictions whose raw events are not there any more."""

    n: Floats
    total: Floats
    gains: Floats
    gone: Flags


def due_losses(reads: Reads, windows: Spans, loss: Loss, of: object, due: int, bound: Floats) -> DueLosses:
    """The losses `of` a measure of rows of disjoint windows, whose labels are those that held `due` microseconds after the end of their slot; `bound` (segments,) is what bets are against.

    What a window holds is kept while its rows stay the same. About `MOST` predictions are read at a time in whole windows, of a larger window about `_AT_ONCE`.
    """
    place = np.searchsorted(windows.end, reads.slots, "right")
    inside = (place < len(windows)) & (windows.start[np.minimum(place, len(windows) - 1)] <= reads.slots)
    slots, rows, raw, place = reads.slots[inside], reads.rows[inside], reads.raw_rows[inside], place[inside]
    gone = np.zeros(len(windows), np.bool_)
    gone[place[raw < rows]] = True
    each = np.bincount(place, rows, len(windows))

    def made(missing: list[int]) -> list[_Sums]:
        found = list[_Sums]()
        for chunk in np.split(np.array(missing), np.flatnonzero(np.diff(np.cumsum(each[missing]) // MOST)) + 1):
            own = np.isin(place, chunk)
            found += _sums(reads, windows.take(chunk), _portions(slots[own], rows[own]), loss, due, bound)
        return found

    held = reads.of_windows(("due losses", str(of), due, bound.tobytes()), windows, made)
    shape = (len(windows), len(bound))
    n, total, gains = (np.array([getattr(one, name) for one in held]) for name in _Sums._fields)
    return DueLosses(n.reshape(shape), total.reshape(shape), gains.reshape(*shape, len(BETS)), gone)


class _Sums(NamedTuple):
    """Of one window: how many rows, the sum of their losses (segments,), and of what each bet gains (segments, bets)."""

    n: Floats
    total: Floats
    gains: Floats


def _portions(slots: Ints, rows: Ints) -> list[Ints]:
    """Slots in portions of about `_AT_ONCE` predictions; one slot may have more."""
    return np.split(slots, np.flatnonzero(np.diff(np.cumsum(rows) // _AT_ONCE)) + 1) if len(slots) else []


def _sums(reads: Reads, windows: Spans, portions: list[Ints], loss: Loss, due: int, bound: Floats) -> list[_Sums]:
    """The sums of windows, whose slots with predictions come in `portions`. Rows of one loss in one place are added as one product, and in the order of losses: a sum of floats depends on the order, and rows come in any."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    size = len(windows) * len(segments)
    tallies = [_tally(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
    for block in chain.from_iterable(reads.outcomes(slots, due=due) for slots in portions):
        value = loss(LossRows(contract, block))
        for row, place in scores.places(block.ts, block.dimensions, Segments(contract), (windows,), segments):
            known = ~np.isnan(value[row])
            tallies.append(_tally(place[known], value[row][known], np.ones(int(known.sum()))))
    key, value, many = _tally(*(np.concatenate(parts) for parts in zip(*tallies, strict=True)))
    with np.errstate(invalid="ignore"):
        won = many[:, None] * gain(value, bound[key % len(segments)])
    gains = np.zeros((size, len(BETS)))
    np.add.at(gains, key, won)
    n, total = np.bincount(key, many, size), np.bincount(key, many * value, size)
    each = (one.reshape(len(windows), len(segments), *one.shape[1:]) for one in (n, total, gains))
    return [_Sums(*own) for own in zip(*each, strict=True)]


def _tally(key: Ints, value: Floats, many: Floats) -> tuple[Ints, Floats, Floats]:
    """The distinct keys and values of rows, ascending, and how many rows each has."""
    order = np.lexsort((value, key))
    key, value, many = key[order], value[order], many[order]
    first = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (np.diff(value, prepend=-1.0) != 0))
    return key[first], value[first], np.add.reduceat(many, first) if len(first) else many


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
