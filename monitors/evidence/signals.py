"""Reads the evidence `Signals`: moments of the signals that tell how sure a model is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.contract import PREDICTION, Contract
from core.span import Spans
from detectors.certainty import SIGNALS, Signals
from detectors.evidence import Moments
from monitors.evidence import moments
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

parts = at_once


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that are read: the signals, and `@prediction`, which tells how many rows there are."""
    return (PREDICTION, *(column.name for column in contract.signals if column.name in SIGNALS))


def fields(_column: str) -> PaneFields:
    """Those of moments."""
    return moments.fields(PREDICTION)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Signals]:
    """The signals of each side, whose parts are pooled."""
    names = columns(reads.scope.model.contract)
    of = zip(*(moments.read(reads, extent, name, sides) for name in names), strict=True)
    return [_of(reads.scope, names, side) for side in of]


def reference(scope: Scope, _column: str) -> Signals:
    """The signals of the reference; no rows if there is none."""
    names = columns(scope.model.contract)
    return _of(scope, names, [moments.reference(scope, name) for name in names])


def _of(scope: Scope, names: Sequence[str], held: Sequence[Moments]) -> Signals:
    first, *others = held
    return Signals(np.asarray(first.n), dict(zip(names[1:], others, strict=True)), scope.model.contract.task)
