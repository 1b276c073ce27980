"""Reads the labelled rows of a window: by predicted class and label, and by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from core.contract import Task
from core.segment import grouping_of
from core.span import Spans
from monitors.evidence import confusion, losses, score_bins
from monitors.evidence.confusion import Counted
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Scope
from monitors.model import Model
from watchkeeper.reader.sources import Sources

_MOST = 40  # segments

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
            own, others = (side[0, 0].astype(np.int64).tolist() for side in (held.positive, held.negative))
            scores[name] = (held.edges, own, others, held.score[0, 0].tolist())
        return Labelled(n, _cells(counted), scores)

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


def _cells(counted: Counted) -> dict[tuple[str, str], int]:
    """How many rows each pair of predicted class and label has, of those that some row has."""
    width = len(counted.classes)
    rows = np.bincount(counted.said * width + counted.true, counted.amount) if counted.amount.size else np.zeros(0)
    return {(counted.classes[place // width], counted.classes[place % width]): int(rows[place]) for place in np.flatnonzero(rows).tolist()}
