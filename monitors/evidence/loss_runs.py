"""Reads the evidence `LossRuns`: the losses of labelled rows in order of their time, from raw events.

Runs are cut by counting labelled rows from the first event on, in whole panes: a run has about as many rows as the measure says, and begins as many before. So they depend on what is
stored alone, and a window on at most two runs' rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from core.block import Floats, Ints
from core.segment import Segments
from core.span import Spans
from detectors.change import loss
from detectors.change.sequence import LossRuns, Run
from detectors.labelled_rows import MOST
from detectors.summary.loss import LossRows
from monitors.evidence import dense, scores
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once

_STEP = np.uint64(0x9E3779B97F4A7C15)
_EVER = Spans.of([(-(1 << 62), 1 << 62)])

parts = at_once
fields = scores.fields


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[LossRuns]:
    """The labelled rows of each side, which has one part."""
    found = []
    for side in sides:
        n = extent.pooled(dense.Rows(reads.performance(extent, ("n",)), extent.cells, reads.scope.segments).total("n"), side)
        found.append(LossRuns(n, side[0], partial(_runs, reads, side[0])))
    return found


def reference(scope: Scope, _column: str) -> LossRuns:
    """None: the grammar refuses a baseline."""
    return LossRuns(np.zeros((1, len(scope.segments))), Spans.of([(0, 0)]), lambda *_: [[] for _ in scope.segments])


def _runs(reads: Reads, windows: Spans, of: str, most: int) -> list[list[Run]]:
    """The runs of each segment that hold rows of the windows."""
    segments, pane = reads.scope.segments, reads.scope.model.contract.pane
    slots = reads.slots[reads.slots < windows.end.max(initial=0)]
    if not len(slots):
        return [[] for _ in segments]
    extent = Extent(pane, slots)
    counts = dense.Rows(reads.performance(extent, ("n",)), slots, segments).total("n")
    held = _holding(windows, slots)
    cuts = [_cut(counts[:, place], held, most) for place in range(len(segments))]
    needed = np.zeros(len(slots), np.bool_)
    for cut in cuts:
        for first, _, after in cut:
            needed[first:after] = True
    rows = _losses(reads, slots[needed], counts.max(axis=1, initial=0)[needed], of)
    return [[_run(rows[place], counts[:, place], slots, *one, pane=pane) for one in cut] for place, cut in enumerate(cuts)]


def _holding(windows: Spans, slots: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which slots begin in a window: (slots,)."""
    opened = np.searchsorted(np.sort(windows.start), slots, "right")
    return np.asarray(opened > np.searchsorted(np.sort(windows.end), slots, "right"))


def _cut(counts: Floats, held: np.ndarray[tuple[int], np.dtype[np.bool_]], most: int) -> list[tuple[int, int, int]]:
    """The runs of a segment that have slots which are `held`: the first slot that is read, the first that counts, and the one after the last that is needed."""
    block = (np.cumsum(counts) - counts) // most
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    found = []
    for place, start in enumerate(starts.tolist()):
        after = int(starts[place + 1]) if place + 1 < len(starts) else len(counts)
        own = np.flatnonzero(held[start:after])
        if len(own):
            found.append((int(starts[max(place - 1, 0)]), start, start + int(own[-1]) + 1))
    return found


def _losses(reads: Reads, slots: Ints, counts: Floats, of: str) -> list[tuple[Ints, Floats]]:
    """The times and losses of the labelled rows of slots, by segment, in order of time, whatever the order in which they came."""
    key = ("losses", of, slots.tobytes())
    return reads.once(key, lambda: _read_losses(reads, slots, counts, of))


def _read_losses(reads: Reads, slots: Ints, counts: Floats, of: str) -> list[tuple[Ints, Floats]]:
    contract, segments = reads.scope.model.contract, reads.scope.segments
    space, found = Segments(contract), [([np.zeros(0, np.int64)], [np.zeros(0)]) for _ in segments]
    for chunk in np.split(slots, np.flatnonzero(np.diff(np.cumsum(counts) // MOST)) + 1):
        for block in reads.outcomes(chunk) if len(chunk) else ():
            values = loss.OF[of](LossRows(contract, block))
            for row, place in scores.places(block.ts, block.dimensions, space, (_EVER,), segments):
                for segment in np.unique(place).tolist():
                    own = row[place == segment]
                    found[segment][0].append(block.ts[own])
                    found[segment][1].append(values[own])
    return [_ordered(np.concatenate(times), np.concatenate(values)) for times, values in found]


def _ordered(times: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Rows in order of time. Those of one time have an order that depends on them alone, and not on their losses' size, which would look like a change: a hash of the time and of a row's rank among them."""
    order = np.lexsort((values, times))
    times, values = times[order], values[order]
    if not len(times) or (np.diff(times) > 0).all():
        return times, values
    first = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
    rank = np.arange(len(times)) - np.repeat(first, np.diff(first, append=len(times)))
    order = np.lexsort((_mixed(times.astype(np.uint64) + rank.astype(np.uint64) * _STEP), times))
    return times[order], values[order]


def _mixed(x: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014): (n,)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def _run(rows: tuple[Ints, Floats], counts: Floats, slots: Ints, first: int, since: int, after: int, *, pane: int) -> Run:
    """A run, of the rows that have a loss."""
    times, values = rows
    until = int(slots[after - 1]) + pane
    low, high = np.searchsorted(times, (slots[first], until))
    taken = slice(int(low), int(high))
    known = ~np.isnan(values[taken])
    return Run(times[taken][known], values[taken][known], int(slots[since]), until, gone=bool(high - low < counts[first:after].sum()))
