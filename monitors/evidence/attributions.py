"""Reads the evidence `Attributions`: sums of the absolute attributions of features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.contract import PREDICTION, Contract
from core.span import Spans
from detectors.evidence import Moments
from detectors.explain.attributions import Attributions
from detectors.summary.signal import ATTRIBUTION
from monitors.evidence import moments
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

parts = at_once


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that are read: the attributions, and `@prediction`, which tells how many rows there are."""
    return (PREDICTION, *(column.name for column in contract.signals if column.name.startswith(ATTRIBUTION)))


def fields(_column: str) -> PaneFields:
    """Those of moments."""
    return moments.fields(PREDICTION)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Attributions]:
    """The attributions of each side, whose parts are pooled."""
    names = columns(reads.scope.model.contract)
    of = zip(*(moments.read(reads, extent, name, sides) for name in names), strict=True)
    return [_of(names, side) for side in of]


def reference(scope: Scope, _column: str) -> Attributions:
    """The attributions of the reference; no rows if there is none."""
    names = columns(scope.model.contract)
    return _of(names, [moments.reference(scope, name) for name in names])


def _of(names: Sequence[str], held: Sequence[Moments]) -> Attributions:
    first, *others = held
    n, nothing = np.asarray(first.n), np.zeros((*np.shape(first.n), 0))
    absolute, finite = (np.stack([getattr(one, name) for one in others], axis=-1) if others else nothing for name in ("absolute", "finite"))
    return Attributions(n, absolute, finite, tuple(name.removeprefix(ATTRIBUTION) for name in names[1:]))
