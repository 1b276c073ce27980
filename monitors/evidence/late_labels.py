"""Reads the evidence `LateLabels`: labelled rows, weighted when they are asked for, and from panes the labels that tell how late labels come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa

from core.block import Categories, Ints, Outcomes
from core.classes import Classes
from core.contract import Contract, Task
from core.span import Spans
from detectors.labelled_rows import MOST
from detectors.late_labels import EVER, Arrivals, LateLabels, Made, learned
from detectors.late_labels import weights as by_chance
from detectors.summary.delay import UNKNOWN
from detectors.weighted import Weighted
from monitors.evidence import dense, ranked, weighted
from monitors.evidence import scores as score_rows
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope
from monitors.evidence.weighted import Placed, Rows

_CLASSES = ("arrival_class", "arrival_bin", "arrival_count")
_NUMBERS = ("delay_bin", "delay_count")
_OTHERS = "other classes"
_NOTHING = np.zeros(0, np.int64)
_NONE = Arrivals(_NOTHING, _NOTHING, _NOTHING, np.zeros(0))

fields = score_rows.fields


def parts(reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that their rows fit into memory."""
    return ranked.parts(reads, extent, windows, MOST)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[LateLabels]:
    """The labelled rows of each side."""
    return [_of(reads, extent, side) for side in sides]


def reference(scope: Scope, _column: str) -> LateLabels:
    """The rows of the reference, whose labels are all there."""
    table, extent, side = dense.reference(scope)
    n, kinds = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side), _kinds(scope.model.contract)

    def make(kind: type[Weighted[Any]], _learned: Sequence[Arrivals] | None) -> Made:
        of = weighted.READERS[kind].reference(scope, "")
        return Made(of, np.zeros(n.shape), np.zeros(n.shape), np.zeros(n.shape, np.bool_), np.full((*n.shape, len(kinds)), np.nan))

    return LateLabels(n, make, kinds=kinds)


def _of(reads: Reads, extent: Extent, side: Sequence[Spans]) -> LateLabels:
    contract, segments = reads.scope.model.contract, reads.scope.segments
    n = extent.pooled(dense.Rows(reads.performance(extent, ("n",)), extent.cells, segments).total("n"), side)
    return LateLabels(n, partial(_made, reads, extent, side), cache(partial(_arrivals, reads, side)), _kinds(contract))


def _kinds(contract: Contract) -> tuple[str, ...]:
    return ("labels",) if contract.task == Task.REGRESSION else (*contract.classes, _OTHERS)


def _arrivals(reads: Reads, side: Sequence[Spans]) -> list[Arrivals]:
    """The labels of each span, by pane. Panes are read as they are, and not in the cells of the step, since what young ones show depends on their length."""
    whole, contract = reads.whole(), reads.scope.model.contract
    slots = whole.slots_of(side)
    table = whole.performance(Extent(contract.pane, slots), _names(contract)) if len(slots) else None
    found = _NONE if table is None else _labels(table, contract, table["start"].to_numpy().astype(np.int64) + contract.pane)
    found = found.take(np.argsort(found.end, kind="stable"))
    bounds = (np.searchsorted(found.end, ends, "right") for ends in (side[0].start, side[0].end))
    return [found.take(slice(low, high)) for low, high in zip(*(one.tolist() for one in bounds), strict=True)]


def _names(contract: Contract) -> tuple[str, ...]:
    return _NUMBERS if contract.task == Task.REGRESSION else _CLASSES


def _labels(table: pa.Table, contract: Contract, end: Ints) -> Arrivals:
    names = _names(contract)
    place, count = (dense.numbers(table[name]) for name in names[-2:])
    kind = np.zeros(len(place)) if len(names) < len(_CLASSES) else dense.numbers(table[names[0]])
    return Arrivals(np.repeat(end, dense.lengths(table[names[-1]])), kind.astype(np.int64), place.astype(np.int64), count)


def _of_reference(scope: Scope) -> Arrivals:
    """The labels of the reference, whose panes have shown all of theirs."""
    contract, (table, *_) = scope.model.contract, dense.reference(scope)
    table = table.filter(pa.array([segment == "all" for segment in table["segment"].cast(pa.string()).to_pylist()], pa.bool_()))
    return _labels(table, contract, np.full(table.num_rows, EVER))


def _made(reads: Reads, extent: Extent, side: Sequence[Spans], kind: type[Weighted[Any]], arrivals: Sequence[Arrivals] | None) -> Made:
    contract, segments = reads.scope.model.contract, reads.scope.segments
    shape, kinds, usual = (len(side[0]), len(segments)), len(_kinds(contract)), _of_reference(reads.scope)
    newest, young, unknown = np.full(shape[0], EVER), np.zeros(shape), np.zeros(shape[0], np.bool_)
    came, due = np.zeros(shape[0] * shape[1] * kinds), np.zeros(shape[0] * shape[1] * kinds)

    def weigh(rows: Sequence[Rows], blocks: Sequence[Placed]) -> list[Rows]:
        for held in blocks:
            np.maximum.at(newest, held.place, _label_times(held.block)[held.row])
        chance = cache(lambda at: learned((*(() if arrivals is None else (arrivals[at],)), usual), int(newest[at]), kinds))
        kept = []
        for one in rows:
            window, of, each = one.place // len(segments), _kind(contract, one.block)[one.row], np.full(len(one.row), np.nan)
            age, order = newest[window] - one.block.ts[one.row], np.argsort(window, kind="stable")
            for own in np.split(order, np.flatnonzero(np.diff(window[order])) + 1):
                if len(own):
                    at = int(window[own[0]])
                    unknown[at] = newest[at] == EVER or bool(np.isnan(chance(at)).any())
                    each[own] = np.nan if unknown[at] else by_chance(chance(at), of[own], age[own])
            fit = each > 0
            np.add.at(young.reshape(-1), one.place[~fit], 1)
            np.add.at(came, (one.place * kinds + of)[fit], 1)
            kept.append(Rows(one.block, one.row[fit], one.place[fit], each[fit]))
        due[:] = weighted.summed([(one.place * kinds + _kind(contract, one.block)[one.row], one.weight) for one in kept], len(due))
        return kept

    of = weighted.READERS[kind].of_side(reads, extent, side, weigh)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = np.where(came > 0, came / due, np.nan).reshape(*shape, kinds)
    at = np.where(newest > EVER, newest, 0).astype(np.float64)[:, None]
    return Made(of, np.broadcast_to(at, shape), young, np.broadcast_to(unknown[:, None], shape), chance)


def _label_times(block: Outcomes) -> Ints:
    """When each label came, `EVER` where it is not known."""
    return np.full(len(block), EVER) if block.delay is None else np.where(block.delay == UNKNOWN, EVER, block.ts + block.delay)


def _kind(contract: Contract, block: Outcomes) -> Ints:
    """The place of the class of each label."""
    if not isinstance(block.label, Categories):
        return np.zeros(len(block), np.int64)
    meant, place = Classes.of(contract).column(block.label), {name: index for index, name in enumerate(contract.classes)}
    if not isinstance(meant, Categories) or not len(meant):
        return np.zeros(len(block), np.int64)
    return np.array([place.get(name, len(place)) for name in meant.texts], np.int64)[meant.codes]
