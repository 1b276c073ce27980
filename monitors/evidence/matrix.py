"""Reads the evidence `ConfusionMatrix`: rows by predicted class and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields as fields_of

import numpy as np

from core.span import Spans
from detectors.evidence import Confusion, ConfusionMatrix
from monitors.evidence import confusion, dense
from monitors.evidence.confusion import Counted
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope

fields = confusion.fields


def parts(reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
    """How many windows at a time: a block also has a cell for each pair of the model's classes."""
    return confusion.parts_of(reads, extent, windows, len(reads.scope.model.contract.classes) ** 2)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[ConfusionMatrix]:
    """The rows of each side, whose parts are pooled."""
    return [_of(Counted.of(reads.scope, table, within, side)) for table, within, side in confusion.tables(reads, extent, sides)]


def reference(scope: Scope, _column: str) -> ConfusionMatrix:
    """The evidence of the reference; no rows if there is none."""
    return _of(Counted.of(scope, *dense.reference(scope)))


def _of(counted: Counted) -> ConfusionMatrix:
    rows, classes = counted.confusion(), counted.scope.model.contract.classes
    code, width = {name: place for place, name in enumerate(classes)}, len(classes)
    place = np.array([code.get(name, -1) for name in counted.classes], np.int64)
    said, true = place[counted.said], place[counted.true]
    flat = counted.pooled(np.where((said >= 0) & (true >= 0), said * width + true, -1), width * width)
    held = {one.name: getattr(rows, one.name) for one in fields_of(Confusion)}
    return ConfusionMatrix(**held, known=classes, cells=flat.reshape(*flat.shape[:-1], width, width))
