"""Reads the evidence `Confusion`: right, predicted and labelled rows by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Categories
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
    table = reads.performance(extent, _NAMES)
    held = {*reads.scope.model.contract.classes, *dense.texts(table["cell_prediction"]).texts, *dense.texts(table["cell_label"]).texts}
    size = max(1, _CELLS // max(1, len(held) * len(reads.scope.segments)))
    return [slice(index, index + size) for index in range(0, len(windows), size)]


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Confusion]:
    """The rows of each side, whose parts are pooled."""
    first, *others = [spans for side in sides for spans in side]
    within = extent.part(first.join(*others))
    table = reads.performance(extent, _NAMES)
    if len(within.cells) < len(extent.cells):
        table = table.filter((pc.field("start") >= int(within.cells[0])) & (pc.field("start") <= int(within.cells[-1])))
    return [of(reads.scope, table, within, side) for side in sides]


def reference(scope: Scope, _column: str) -> Confusion:
    """The evidence of the reference; no rows if there is none."""
    return of(scope, *dense.reference(scope))


def of(scope: Scope, table: pa.Table, extent: Extent, side: Sequence[Spans]) -> Confusion:
    """The rows of a side, from performance panes. The classes are those of the contract and all others that were predicted or labelled, in order of their texts."""
    contract = scope.model.contract
    rows, known = dense.Rows(table, extent.cells, scope.segments), Classes.of(contract)
    predicted, labels = (known.column(_used(dense.texts(table[name]))) for name in ("cell_prediction", "cell_label"))
    code = {name: index for index, name in enumerate(sorted({*contract.classes, *predicted.texts, *labels.texts}))}
    said, true = dense.codes(predicted, code), dense.codes(labels, code)
    count, each = dense.numbers(table["cell_count"]), dense.lengths(table["cell_count"])
    indices = (np.where(said == true, said, -1), said, true)
    right, of_predicted, of_labelled = (extent.pooled(rows.cells(index, count, len(code), each), side) for index in indices)
    positive = code.get(contract.positive) if contract.task == Task.BINARY else None
    return Confusion(extent.pooled(rows.total("n"), side), tuple(code), right, of_predicted, of_labelled, positive)


def _used(values: Categories) -> Categories:
    """The texts that some row has."""
    used, codes = np.unique(values.codes, return_inverse=True)
    return Categories(codes.astype(np.int32), [values.texts[code] for code in used])
