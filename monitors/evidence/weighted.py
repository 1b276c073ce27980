"""Reads evidence of labelled rows with their weights, from the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import Contract, Task
from core.segment import ALL, Segments
from core.span import Spans
from detectors.evidence import ConfusionMatrix, Losses, LossSums, ScoreLosses, Scores
from detectors.labelled_rows import MOST
from detectors.ranked import Ranked, ScoreCells
from detectors.summary.loss import LOSSES, NO_RANK, LossRows, losses_of
from detectors.summary.score import judged, members, scores
from detectors.weighted import Weighted, WeightedCells, WeightedLosses, WeightedRanked, WeightedScoreLosses, WeightedScores
from monitors.evidence import dense, labelled_rows, matrix, ranked
from monitors.evidence import losses as plain_losses
from monitors.evidence import score_losses as plain_score_losses
from monitors.evidence import scores as score_rows
from monitors.evidence.extent import Extent
from monitors.evidence.reader import EvidenceKind
from monitors.evidence.reads import PaneFields, Reads, Scope


@dataclass(frozen=True)
class Rows:
    """Rows of one block in their places: `row` (m,) is the index of each in `block`, `place` (m,) its place in the flattened evidence, `weight` (m,) its scaled weight."""

    block: Outcomes
    row: Ints
    place: Ints
    weight: Floats


class Placed(NamedTuple):
    """Labelled rows of one block by their windows: `row` (m,) is the index of each in `block`, `place` (m,) that of the window."""

    block: Outcomes
    row: Ints
    place: Ints


Weigh = Callable[[Sequence[Rows], Sequence[Placed]], list[Rows]]
"""Gives rows other weights, and leaves some out; also gets all rows of the windows, whatever their segment."""

Make = Callable[[Contract, Sequence[Rows], tuple[int, ...]], Any]


@dataclass(frozen=True)
class OfWeights:
    """Reads `made`; `make` makes the evidence of rows in an array of places, `plain` reads that of rows without weights. `scored`: only rows with a score count."""

    plain: EvidenceKind
    made: type[Weighted[Any]]
    make: Make
    scored: bool = False

    def fields(self, column: str) -> PaneFields:
        """Labelled rows."""
        return score_rows.fields(column)

    def parts(self, reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
        """How many windows at a time, so that their rows fit into memory."""
        return ranked.parts(reads, extent, windows, MOST)

    def read(self, reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Weighted[Any]]:
        """The evidence of each side, whose parts are pooled."""
        return [self.of_side(reads, extent, side) for side in sides]

    def reference(self, scope: Scope, column: str) -> Weighted[Any]:
        """The evidence of the reference, whose rows have the weight 1."""
        plain, (table, extent, side) = self.plain.reference(scope, column), dense.reference(scope)
        labelled = extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side)
        nowhere = np.zeros(labelled.shape, np.bool_)
        return self.made(plain.n, labelled, plain.n, plain.n, nowhere, nowhere, plain)

    def of_side(self, reads: Reads, extent: Extent, side: Sequence[Spans], weigh: Weigh | None = None) -> Weighted[Any]:
        """The evidence of one side; rows have the weights of their labels, or those that `weigh` gives."""
        contract, segments = reads.scope.model.contract, reads.scope.segments
        labelled = extent.pooled(dense.Rows(reads.performance(extent, ("n",)), extent.cells, segments).total("n"), side)
        held, space, size = score_rows.labelled(reads, extent, side), Segments(contract), labelled.size
        large = np.broadcast_to((held > MOST)[:, None], labelled.shape) & (labelled > 0)
        few = np.flatnonzero((held > 0) & (held <= MOST))
        taken, whole, spans = list[Rows](), list[Placed](), [part.take(few) for part in side]
        if len(few):
            for block in reads.outcomes(reads.slots_of(spans), weights=True):
                counted = block.take(np.flatnonzero(labelled_rows.paired(block)))
                for row, place in score_rows.places(counted.ts, counted.dimensions, space, spans, segments):
                    at = few[place // len(segments)] * len(segments) + place % len(segments)
                    taken.append(Rows(counted, row, at, _weights(counted)[row]))
                whole += [] if weigh is None else [Placed(counted, row, few[place]) for row, place in _everywhere(counted, space, spans)]
        came = summed([(one.place, np.ones(len(one.row))) for one in taken], size)
        taken = taken if weigh is None else weigh(taken, whole)
        kept = [_scored(contract, one) for one in taken] if self.scored else taken
        n, weight, square = (summed([(one.place, one.weight**power) for one in kept], size) for power in (0, 1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.nan_to_num(weight / square, posinf=0.0)
        scaled = [Rows(one.block, one.row, one.place, one.weight * factor[one.place]) for one in kept]
        of, shape = self.make(contract, scaled, labelled.shape), labelled.shape
        n = np.where(large, labelled, n.reshape(shape)) if not self.scored else n.reshape(shape)
        sums = (n, labelled, weight.reshape(shape), (weight * factor).reshape(shape))
        return self.made(*sums, large, (came.reshape(shape) < labelled) & ~large, of)


def _everywhere(block: Outcomes, space: Segments, spans: Sequence[Spans]) -> list[tuple[npt.NDArray[np.intp], Ints]]:
    """The rows of a block, and the index of the span of each."""
    return score_rows.places(block.ts, block.dimensions, space, spans, (ALL,))


def _weights(block: Outcomes) -> Floats:
    return np.ones(len(block)) if block.weight is None else np.where(np.isfinite(block.weight), block.weight, 1.0)


def _scored(contract: Contract, rows: Rows) -> Rows:
    """The rows with a score for any judged class."""
    has = np.asarray(np.isfinite(scores(contract, rows.block)).any(axis=1))[rows.row]
    return Rows(rows.block, rows.row[has], rows.place[has], rows.weight[has])


def summed(parts: Sequence[tuple[Ints, Floats]], size: int) -> Floats:
    """The sums of amounts by their places: (size,). They do not depend on the order of the rows."""
    place = np.concatenate([np.zeros(0, np.int64), *(place for place, _ in parts)])
    amount = np.concatenate([np.zeros(0), *(amount for _, amount in parts)])
    if not (amount == np.rint(amount)).all():  # sums of whole numbers are exact in any order
        order = np.lexsort((amount, place))
        place, amount = place[order], amount[order]
    return np.asarray(np.bincount(place, amount, size), np.float64)


def cells(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> ConfusionMatrix:
    """Rows by predicted class and label."""
    known, size = Classes.of(contract), int(np.prod(shape))
    texts = [(_meant(known, one.block.prediction), _meant(known, one.block.label)) for one in rows]
    classes = tuple(sorted({*contract.classes, *(name for pair in texts for values in pair for name in values.texts)}))
    code, width = {name: at for at, name in enumerate(classes)}, len(classes)
    parts = [
        (one, dense.codes(said, code)[one.row], dense.codes(true, code)[one.row]) for one, (said, true) in zip(rows, texts, strict=True)
    ]

    def by_class(of: Callable[[Ints, Ints], Ints]) -> Floats:
        found = [(one.place[at >= 0] * width + at[at >= 0], one.weight[at >= 0]) for one, said, true in parts for at in (of(said, true),)]
        return summed(found, size * width).reshape(*shape, width)

    right, predicted, labelled = (
        by_class(of) for of in (lambda said, true: np.where(said == true, said, -1), lambda said, _: said, lambda _, true: true)
    )
    own = np.array([code[name] for name in contract.classes], np.int64)
    pairs = np.full(width, -1, np.int64)
    pairs[own] = np.arange(len(own))
    known_pairs = [(one, pairs[said], pairs[true], (pairs[said] >= 0) & (pairs[true] >= 0)) for one, said, true in parts]
    places = [
        ((one.place[both] * len(own) + said[both]) * len(own) + true[both], one.weight[both]) for one, said, true, both in known_pairs
    ]
    flat = summed(places, size * len(own) ** 2)
    positive = classes.index(contract.positive) if contract.task == Task.BINARY and contract.positive in classes else None
    table = flat.reshape(*shape, len(own), len(own))
    return ConfusionMatrix(predicted.sum(-1), classes, right, predicted, labelled, positive, known=contract.classes, cells=table)


def _meant(known: Classes, values: Categories | Floats) -> Categories:
    if not isinstance(values, Categories):
        raise TypeError("a regression has no classes")
    return known.column(values)


def _loss_sums(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> Mapping[str, LossSums]:
    size, found = int(np.prod(shape)), dict[str, LossSums]()
    for name in losses_of(contract):
        parts = [(one, LOSSES[name].of(LossRows(contract, one.block))[one.row]) for one in rows]
        there = [(one, each, ~np.isnan(each)) for one, each in parts]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = [
                summed([(one.place[has], one.weight[has] * each[has] ** power) for one, each, has in there], size) for power in (0, 1, 2)
            ]
        count, total, square = (one.reshape(shape) for one in sums)
        found[name] = LossSums(count, total, square)
    return found


def losses(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> Losses:
    """Losses of labelled rows; the largest error is not among them."""
    n = summed([(one.place, one.weight) for one in rows], int(np.prod(shape))).reshape(shape)
    return Losses(n, _loss_sums(contract, rows, shape))


def score_losses(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> ScoreLosses:
    """Losses of scores, and rows by the rank of their label's class."""
    width, size = len(judged(contract)) + 1, int(np.prod(shape))
    n = summed([(one.place, one.weight) for one in rows], size).reshape(shape)
    parts = [(one, LossRows(contract, one.block).rank[one.row]) for one in rows]
    counted = [(one, rank, rank != NO_RANK) for one, rank in parts]
    ranks = summed([(one.place[has] * width + rank[has], one.weight[has]) for one, rank, has in counted], size * width)
    return ScoreLosses(n, n, _loss_sums(contract, rows, shape), ranks.reshape(*shape, width))


def curves(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> Ranked:
    """Rows in order of their scores."""
    n = summed([(one.place, one.weight) for one in rows], int(np.prod(shape))).reshape(shape)
    found = []
    for index in range(len(judged(contract))):
        held = [(one, scores(contract, one.block)[one.row, index], _is(contract, one, index)) for one in rows]
        place, weight = (
            np.concatenate([np.zeros(0, kind), *(getattr(one, name) for one, *_ in held)])
            for name, kind in (("place", np.int64), ("weight", np.float64))
        )
        score, own = (np.concatenate([np.zeros(0), *(part[at] for part in held)]) for at in (1, 2))
        found.append(ranked.cells_of(place, own > 0, score, weight))
    return Ranked(n, n, tuple(found), ranked.names(contract))


def _is(contract: Contract, rows: Rows, index: int) -> Floats:
    label = rows.block.label
    return members(contract, label)[rows.row, index].astype(np.float64) if isinstance(label, Categories) else np.zeros(len(rows.row))


def areas(contract: Contract, rows: Sequence[Rows], shape: tuple[int, ...]) -> Scores:
    """The plain mean of the areas under the ROC curves of the classes that have rows on both sides."""
    of, size = curves(contract, rows, shape), int(np.prod(shape))
    each = np.stack([np.full(size, np.nan), *(_area(one, size) for one in of.cells)])
    have = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        value = np.where(have, each, 0.0).sum(axis=0) / have.sum(axis=0)
    positive = of.cells[0].total(of.cells[0].positive, size) if len(of.cells) == 1 else np.full(size, np.nan)
    return Scores(of.n, of.n, value.reshape(shape), positive.reshape(shape))


def _area(held: ScoreCells, size: int) -> Floats:
    """The share of weighted pairs of a positive and another row whose positive has the higher score; a tie counts half."""
    above = held.before(held.positive) + held.positive / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(held.total(held.negative * above, size) / (held.total(held.positive, size) * held.total(held.negative, size)))


READERS: Mapping[type[Any], OfWeights] = {
    WeightedCells: OfWeights(matrix, WeightedCells, cells),
    WeightedLosses: OfWeights(plain_losses, WeightedLosses, losses),
    WeightedScoreLosses: OfWeights(plain_score_losses, WeightedScoreLosses, score_losses, scored=True),
    WeightedRanked: OfWeights(ranked, WeightedRanked, curves, scored=True),
    WeightedScores: OfWeights(score_rows, WeightedScores, areas, scored=True),
}
