"""Reads the evidence `Confusion`: right, predicted and labelled rows by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Categories, Floats, Ints
from core.classes import Classes
from core.contract import Task
from core.span import Spans
from detectors.evidence import Confusion
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope

_NAMES = ("n", "cell_prediction", "cell_label", "cell_count")
_CELLS = 2_000_000  # cells of a block: events may hold any number of classes


def fields(_column: str) -> PaneFields:
    """Cells of prediction and label."""
    return PaneFields(performance=frozenset(_NAMES))


def parts(reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time, so that a block has about `_CELLS` cells."""
    return parts_of(reads, extent, windows, 0)


def parts_of(reads: Reads, extent: Extent, windows: Spans, more: int) -> list[slice]:
    """How many windows at a time, so that a block with a cell for each class and so many `more` has about `_CELLS` cells."""
    table = reads.performance(extent, _NAMES)
    held = {*reads.scope.model.contract.classes, *dense.texts(table["cell_prediction"]).texts, *dense.texts(table["cell_label"]).texts}
    size = max(1, _CELLS // max(1, (len(held) + more) * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Confusion]:
    """The rows of each side, whose parts are pooled."""
    return [Counted.of(reads.scope, table, within, side).confusion() for table, within, side in tables(reads, extent, sides)]


def reference(scope: Scope, _column: str) -> Confusion:
    """The evidence of the reference; no rows if there is none."""
    return Counted.of(scope, *dense.reference(scope)).confusion()


def tables(reads: Reads, extent: Extent, sides: Sequence[Sequence[Spans]]) -> list[tuple[pa.Table, Extent, Sequence[Spans]]]:
    """Each side with the panes that it needs, and the cells of these."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    table = reads.performance(extent, _NAMES)
    if len(within.cells) < len(extent.cells):
        table = table.filter((pc.field("start") >= int(within.cells[0])) & (pc.field("start") <= int(within.cells[-1])))
    return [(table, within, side) for side in sides]


class Counted(NamedTuple):
    """The cells of panes: predicted and labelled class of each by its index in `classes`, how many rows it has, and how many cells each pane has.

    The classes are those of the contract and all others that were predicted or labelled, in order of their texts.
    """

    scope: Scope
    rows: dense.Rows
    extent: Extent
    side: Sequence[Spans]
    classes: tuple[str, ...]
    said: Ints
    true: Ints
    amount: Floats
    each: Ints

    @staticmethod
    def of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Counted:
        """The cells of a table, for the spans of a side."""
        contract = scope.model.contract
        rows, known = dense.Rows(table, extent.cells, scope.segments), Classes.of(contract)
        predicted, labels = (known.column(_used(dense.texts(table[name]))) for name in ("cell_prediction", "cell_label"))
        code = {name: index for index, name in enumerate(sorted({*contract.classes, *predicted.texts, *labels.texts}))}
        said, true = dense.codes(predicted, code), dense.codes(labels, code)
        return Counted(
            scope, rows, extent, side, tuple(code), said, true, dense.numbers(table["cell_count"]), dense.lengths(table["cell_count"])
        )

    def confusion(self) -> Confusion:
        """Rows by class."""
        right = np.where(self.said == self.true, self.said, -1)
        by_class = (self.pooled(index, len(self.classes)) for index in (right, self.said, self.true))
        right_rows, predicted, labelled = by_class
        contract = self.scope.model.contract
        positive = self.classes.index(contract.positive) if contract.task == Task.BINARY and contract.positive in self.classes else None
        return Confusion(self.extent.pooled(self.rows.total("n"), self.side), self.classes, right_rows, predicted, labelled, positive)

    def pooled(self, index: Ints, width: int) -> Floats:
        """Rows by an index of their cells, -1 to leave one out: (spans, segments, width)."""
        return self.extent.pooled(self.rows.cells(index, self.amount, width, self.each), self.side)


def of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Confusion:
    """The rows of a side, from performance panes."""
    return Counted.of(scope, table, extent, side).confusion()


def _used(values: Categories) -> Categories:
    """The texts that some row has."""
    used = np.bincount(values.codes, minlength=len(values.texts)) > 0
    codes = (np.cumsum(used) - 1).astype(np.int32)
    return Categories(codes[values.codes], [values.texts[code] for code in np.flatnonzero(used).tolist()])
