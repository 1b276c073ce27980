"""Reads the evidence `ScoreTables`: labelled rows by frozen bins of their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from core.block import Floats
from core.contract import Contract
from core.span import Spans
from detectors.certainty import ScoreTable, ScoreTables
from detectors.summary.score import edges_of, judged
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_SUMS = ("positive", "negative", "positive_sum", "negative_sum")
NAMES = ("n", "scored", "score_class", "score_bin", *_SUMS)
_CELLS = 500_000  # of a block, in each of its sums


def fields(_column: str) -> PaneFields:
    """Score bins."""
    return PaneFields(performance=frozenset(NAMES))


def parts(reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` cells."""
    bins = sum(len(edges) + 1 for edges in edges_of(reads.scope.model.contract))
    size = max(1, _CELLS // max(1, bins * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[ScoreTables]:
    """The tables of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within, table = extent.part(first.join(*others)), reads.performance(extent, NAMES)
    return [tables(reads.scope, table, within, side) for side in sides]


def reference(scope: Scope, _column: str) -> ScoreTables:
    """The tables of the reference; no rows if there is none."""
    return tables(scope, *dense.reference(scope))


def tables(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> ScoreTables:
    """The tables of one side, from performance panes with `NAMES`."""
    contract, rows = scope.model.contract, dense.Rows(table, extent.cells, scope.segments)
    n, labelled = (extent.pooled(rows.total(name), side) for name in ("scored", "n"))
    by_class = zip(judged(contract), sums(contract, rows, table, extent, side, _SUMS), edges_of(contract), strict=True)
    found = {name: ScoreTable(**dict(zip(_SUMS, held, strict=True)), edges=edges) for name, held, edges in by_class}
    for one in found.values():
        n = np.maximum(n, one.rows.sum(-1))  # in panes of versions without `scored` every class has a score in every row
    return ScoreTables(n, labelled, found)


def sums(
    contract: Contract, rows: dense.Rows, table: pa.Table, extent: Extent, side: Sequence[Spans], names: Sequence[str]
) -> Iterator[list[Floats]]:
    """For each judged class the sums of these fields of performance panes by score bin, each (windows, segments, bins); `rows` are those of the table."""
    lengths, place = dense.lengths(table["score_bin"]), dense.numbers(table["score_bin"]).astype(np.int64)
    named, amounts = dense.texts(table["score_class"]), [dense.numbers(table[name]) for name in names]
    for name, edges in zip(judged(contract), edges_of(contract), strict=True):
        at = np.where(dense.codes(named, {name: 0}) == 0, place, -1)
        yield [extent.pooled(held, side) for held in rows.several(at, amounts, len(edges) + 1, lengths)]
