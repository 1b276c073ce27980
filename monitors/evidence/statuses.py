"""Reads the evidence `Statuses`: predictions by their status."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.contract import PREDICTION, Contract
from core.span import Spans
from detectors.evidence import Counts
from detectors.serving import STATUS, Statuses
from monitors.evidence import counts
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

parts = at_once


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that are read: `@status`, or `@prediction` if the contract does not have it, which tells how many rows there are."""
    return (STATUS,) if any(column.name == STATUS for column in contract.signals) else (PREDICTION,)


def fields(_column: str) -> PaneFields:
    """Counts by bin."""
    return counts.fields(STATUS)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Statuses]:
    """The statuses of each side, whose parts are pooled."""
    (name,) = columns(reads.scope.model.contract)
    return [_of(one) for one in counts.read(reads, extent, name, sides)]


def reference(scope: Scope, _column: str) -> Statuses:
    """The statuses of the reference; none if there is none."""
    (name,) = columns(scope.model.contract)
    return _of(counts.reference(scope, name))


def _of(held: Counts) -> Statuses:
    if held.column.name != STATUS:
        return Statuses(held.n, np.zeros(held.n.shape), np.zeros(held.n.shape), known=False)
    ok, error = (held.counts[..., held.column.categories.index(name)] for name in ("ok", "error"))
    return Statuses(held.n, ok, error, known=True)
