"""Reads the evidence `Influence`: attributions from panes, and from labelled rows how features go together with the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.block import Categories, Floats, Outcomes
from core.classes import Classes
from core.contract import Contract, Kind, Task
from core.segment import Segments
from core.span import Spans
from detectors.explain.attributions import MOST, Attributions, Influence
from detectors.explain.influence import association
from monitors.evidence import attributions, dense, scores
from monitors.evidence.extent import Extent
from monitors.evidence.labelled_rows import paired
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_KINDS = (Kind.NUMERIC, Kind.CATEGORICAL)
_CELLS = 20_000_000  # rows x features that are held at a time

parts = at_once
columns = attributions.columns


def fields(column: str) -> PaneFields:
    """Moments of attributions, and how many labelled rows there are."""
    return attributions.fields(column) | scores.fields(column)


def read(reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]]) -> list[Influence]:
    """The influence of each side, whose parts are pooled. Rows are read once for all features."""
    key = ("influence", extent.cells.tobytes(), *(one.start.tobytes() + one.end.tobytes() for side in sides for one in side))

    def made() -> list[Influence]:
        held = attributions.read(reads, extent, "", sides)
        return [_of(reads, extent, side, one) for side, one in zip(sides, held, strict=True)]

    return [_placed(one, column) for one in reads.once(key, made)]


def reference(scope: Scope, column: str) -> Influence:
    """How many labelled rows the reference has, without what rows tell."""
    held = attributions.reference(scope, "")
    table, extent, side = dense.reference(scope)
    n = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
    return _placed(Influence(n, held, np.zeros_like(held.absolute), -1, np.zeros(n.shape, np.bool_), n), column)


def _placed(one: Influence, column: str) -> Influence:
    names = one.attributions.features
    place = names.index(column) if column in names else -1
    return Influence(one.n, one.attributions, one.association, place, one.large, one.read)


def _of(reads: Reads, extent: Extent, side: Sequence[Spans], held: Attributions) -> Influence:
    scope = reads.scope
    n = extent.pooled(dense.Rows(reads.performance(extent, ("n",)), extent.cells, scope.segments).total("n"), side)
    many = scores.labelled(reads, extent, side)
    found, rows = np.zeros((*n.shape, len(held.features))), np.zeros(n.shape)
    few = np.flatnonzero((many > 0) & (many <= MOST)) if held.features else np.zeros(0, np.int64)
    for chunk in np.split(few, np.flatnonzero(np.diff(np.cumsum(many[few]) // MOST)) + 1):
        if len(chunk):
            rows[chunk], found[chunk] = _associated(reads, [part.take(chunk) for part in side], held.features, int(many[chunk].sum()))
    return Influence(n, held, found, -1, (many > MOST)[:, None] & (n > 0), np.where(len(held.features) > 0, rows, n))


def _associated(reads: Reads, side: Sequence[Spans], features: tuple[str, ...], many: int) -> tuple[Floats, Floats]:
    """`associations` of spans with so `many` labelled rows, which are read again for each portion of the features: a table of all of them would not fit into memory."""
    contract, segments = reads.scope.model.contract, reads.scope.segments
    rows, found = np.zeros((len(side[0]), len(segments))), np.zeros((len(side[0]), len(segments), len(features)))
    places = [place for place, name in enumerate(features) if contract.column(name).kind in _KINDS]  # others have an association of 0
    size = max(1, _CELLS // max(many, 1))
    for first in range(0, max(len(places), 1), size):
        own = places[first : first + size]
        names = tuple(features[place] for place in own)
        blocks = reads.outcomes(reads.slots_of(side), columns=names)
        rows, found[..., own] = associations(contract, blocks, side, segments, names)
    return rows, found


def associations(
    contract: Contract, blocks: Iterable[Outcomes], side: Sequence[Spans], segments: tuple[str, ...], features: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """How many labelled rows there are by span and segment, and how strongly each feature, a number or a category, goes together with the outcome: (spans, segments), (spans, segments, features).

    The outcome is the label of a regression, and whether it is the positive class of a binary model. Of more classes each is one, and counts by its share.
    """
    shape = (len(side[0]), len(segments))
    size, held = shape[0] * shape[1], [block.take(np.flatnonzero(paired(block))) for block in blocks]
    found, rows = np.zeros((size, len(features))), np.zeros(size)
    held = [block for block in held if len(block)]
    if not held:
        return rows.reshape(shape), found.reshape(*shape, -1)
    ts = np.concatenate([block.ts for block in held])
    dimensions = {name: Categories.concat([block.dimensions[name] for block in held]) for name in held[0].dimensions}
    each = scores.places(ts, dimensions, Segments(contract), side, segments)
    row, place = (np.concatenate([one[index] for one in each]) for index in (0, 1))
    rows = np.bincount(place, minlength=size).astype(np.float64)
    for outcome in _outcomes(contract, held):
        there = np.isfinite(outcome[row])
        share = (
            np.bincount(place[there], outcome[row][there], size) / np.maximum(rows, 1.0)
            if contract.task == Task.MULTICLASS
            else np.ones(size)
        )
        for index, name in enumerate(features):
            column = _column([block.columns[name] for block in held])
            found[:, index] += share * association(
                column.take(row) if isinstance(column, Categories) else column[row], outcome[row], place, size
            )
    return rows.reshape(shape), found.reshape(*shape, -1)


def _outcomes(contract: Contract, blocks: Sequence[Outcomes]) -> list[Floats]:
    """The outcomes as numbers: one, or one for each class of more than two."""
    label = _column([block.label for block in blocks])
    if not isinstance(label, Categories):
        return [np.where(np.isfinite(label), label, np.nan)]
    known = Classes.of(contract).column(label)
    wanted = [contract.positive or contract.classes[-1]] if contract.task == Task.BINARY and contract.classes else list(known.texts)
    names = np.array([*known.texts, None], object)[known.codes]
    return [(names == one).astype(np.float64) for one in sorted(wanted)]


def _column(parts: Sequence[Categories | Floats]) -> Categories | Floats:
    texts = [one for one in parts if isinstance(one, Categories)]
    return Categories.concat(texts) if len(texts) == len(parts) else np.concatenate([np.asarray(one, np.float64) for one in parts])
