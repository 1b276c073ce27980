"""Reads the labelled rows of a window: by predicted class and label, and by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from core.block import Floats
from core.contract import Task
from core.segment import Segments, grouping_of
from core.span import Spans
from detectors.summary.loss import residual
from detectors.summary.score import edges_of, judged
from monitors.evidence import confusion, losses, score_bins
from monitors.evidence.confusion import Counted
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.evidence.reads import Scope
from monitors.evidence.scores import places
from monitors.model import Model
from storage.facts.pane_counts import Of
from watchkeeper.reader.sources import Sources

_MOST = 40  # segments
_ROWS = 200_000  # labelled rows of a window that are read for a picture
_PARTS = 10

Bins = tuple[Sequence[float], Sequence[int], Sequence[int], Sequence[float]]
"""Edges; rows of the class, of others, and sums of scores, by bin."""


class Labelled(NamedTuple):
    """How many rows are labelled; how many by (predicted, label); and by the bin of their score, for each class that has scores."""

    n: int
    cells: Mapping[tuple[str, str], int]
    scores: Mapping[str, Bins]


class Errors(NamedTuple):
    """A segment of a regression: rows with an error, its mean, the mean of its size, and the root of the mean of its square."""

    segment: str
    n: int
    mean: float
    absolute: float
    root: float


class LabelledReader(Sources):
    """Reads performance panes, as evaluation does."""

    def labelled(self, model: str, segment: str, version: str | None, start: int, end: int) -> Labelled:
        """The labelled rows of a segment in a span of whole panes, of one version of the model or of all. One query; raises ConfigError for an unknown model."""
        contract = self._known(model)
        names = tuple(sorted(confusion.fields("").performance | score_bins.fields("").performance))
        grouping = "*".join(grouping_of(segment))
        found = self._stores.panes.performance(contract, names, (grouping,), end - start, (start, end), version, start)
        found = found.filter(pc.equal(found["segment"], segment))
        n = int(pc.sum(found["n"]).as_py() or 0)
        if contract.task is Task.REGRESSION or not n:
            return Labelled(n, {}, {})
        scope = Scope(Model(contract, None), (segment,), (grouping,), (), version)
        span = Spans.of([(start, end)])
        counted = Counted.of(scope, found, Extent(end - start, span.start), (span,))
        tables = score_bins.tables(scope, found, counted.extent, counted.side).of if contract.scored else {}
        scores: dict[str, Bins] = {}
        for name, held in tables.items():
            scores[name] = _bins(held.edges, *(sums[0, 0] for sums in (held.positive, held.negative, held.positive_sum, held.negative_sum)))
        return Labelled(n, _cells(counted), scores)

    def score_bins(self, model: str, segment: str, start: int, end: int) -> dict[str, Bins]:
        """The labelled rows of a segment in a span of whole panes, however long, by the bin of their score, for each class that has scores. One query; raises ConfigError for an unknown model."""
        contract = self._known(model)
        edges = dict(zip(judged(contract), edges_of(contract), strict=True)) if contract.scored else {}
        if not edges:
            return {}
        of = Of(segment, contract.pane)
        found = self._stores.pane_counts.scores(contract, of, (start, end), {name: len(cuts) + 1 for name, cuts in edges.items()})
        return {name: _bins(edges[name], *sums) for name, sums in found.items()}

    def errors(self, model: str, grouping: str, version: str | None, start: int, end: int) -> list[Errors]:
        """The errors of a regression in a span of whole panes, by segment of a grouping; those with most rows, and no more than `_MOST`. One query."""
        contract, span = self._known(model), Spans.of([(start, end)])
        names = tuple(sorted(losses.fields("").performance))
        found = self._stores.panes.performance(contract, names, (grouping,), end - start, (start, end), version, start)
        if contract.task is not Task.REGRESSION or not found.num_rows:
            return []
        segments = tuple(sorted(found["segment"].to_pylist()))
        scope = Scope(Model(contract, None), segments, (grouping,), (), version)
        sums = losses.sums(scope, found, Extent(end - start, span.start), (span,))
        count = sums["error"].count[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, absolute, square = (sums[name].total[0] / sums[name].count[0] for name in ("error", "absolute", "square"))
            every = np.stack([count, mean, absolute, np.sqrt(square)], axis=1)
        kept = [place for place in np.argsort(-count, kind="stable").tolist() if np.isfinite(every[place]).all()][:_MOST]
        return [Errors(segments[place], int(count[place]), *every[place, 1:].tolist()) for place in kept]

    def residuals(self, model: str, segment: str, version: str | None, start: int, end: int) -> list[Errors] | None:
        """The errors of a regression in a span of whole panes, by tenth of the predictions, each with the range of its predictions. Rows are read; None where they are more than `_ROWS`."""
        contract, grouping = self._known(model), "*".join(grouping_of(segment))
        panes = self._stores.panes.performance(contract, ("n",), (grouping,), end - start, (start, end), version, start)
        n = int(pc.sum(panes.filter(pc.equal(panes["segment"], segment))["n"]).as_py() or 0)
        if contract.task is not Task.REGRESSION or not n:
            return []
        if n > _ROWS:
            return None
        slots, space = np.arange(start - start % contract.pane, end, contract.pane), Segments(contract)
        said, wrong = [np.zeros(0)], [np.zeros(0)]
        for block in History(self._stores.raw, self._stores.control.contract_version).outcomes(contract, slots, version=version):
            for row, _ in places(block.ts, block.dimensions, space, (Spans.of([(start, end)]),), (segment,)):
                said.append(np.asarray(block.prediction, np.float64)[row])
                wrong.append(residual(block)[row])
        return _tenths(np.concatenate(said), np.concatenate(wrong))


def _tenths(prediction: Floats, error: Floats) -> list[Errors]:
    """The errors by tenth of the predictions; equal predictions are in one tenth."""
    known = np.isfinite(prediction) & np.isfinite(error)
    prediction, error = prediction[known], error[known]
    if not len(error):
        return []
    edges = np.unique(np.quantile(prediction, np.arange(1, _PARTS) / _PARTS, method="inverted_cdf"))
    part = np.searchsorted(edges, prediction, "left")
    found = []
    for each in np.unique(part).tolist():
        own, at = error[part == each], prediction[part == each]
        low, high = (f"{one:.4g}" for one in (at.min(), at.max()))
        size, root = float(np.abs(own).mean()), float(np.sqrt((own**2).mean()))
        found.append(Errors(low if low == high else f"{low} to {high}", len(own), float(own.mean()), size, root))
    return found


def _bins(edges: Sequence[float], own: Floats, others: Floats, own_sum: Floats, others_sum: Floats) -> Bins:
    """Rows of the class, and of others, and the sums of their scores, by bin."""
    with np.errstate(over="ignore", invalid="ignore"):  # scores may be huge, and no probabilities
        return edges, own.astype(np.int64).tolist(), others.astype(np.int64).tolist(), (own_sum + others_sum).tolist()


def _cells(counted: Counted) -> dict[tuple[str, str], int]:
    """How many rows each pair of predicted class and label has, of those that some row has."""
    width = len(counted.classes)
    rows = np.bincount(counted.said * width + counted.true, counted.amount) if counted.amount.size else np.zeros(0)
    return {(counted.classes[place // width], counted.classes[place % width]): int(rows[place]) for place in np.flatnonzero(rows).tolist()}
