"""Reads the evidence `Traffic`: how many predictions there are, and of which callers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core import moment
from core.block import Floats
from core.contract import PREDICTION, Contract
from core.span import Spans
from detectors.evidence import Counts
from detectors.serving import CALLER, Traffic
from monitors.evidence import counts
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope, at_once

_REST = ("other", "unseen", "null", "invalid")

parts = at_once


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that are read: `@caller`, or `@prediction` if the contract does not have it."""
    return (CALLER,) if any(column.name == CALLER for column in contract.signals) else (PREDICTION,)


def fields(_column: str) -> PaneFields:
    """Counts by bin."""
    return counts.fields(CALLER)


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Traffic]:
    """The predictions of each side, whose parts are pooled."""
    (name,) = columns(reads.scope.model.contract)
    held = counts.read(reads, extent, name, sides)
    lengths = (np.sum([part.end - part.start for part in side], axis=0) / moment.SECOND for side in sides)
    return [_of(one, length[:, None]) for one, length in zip(held, lengths, strict=True)]


def reference(scope: Scope, _column: str) -> Traffic:
    """The rows of the reference; none if there is none."""
    (name,) = columns(scope.model.contract)
    held = counts.reference(scope, name)
    return _of(held, np.full(held.n.shape, np.nan))


def _of(held: Counts, seconds: Floats) -> Traffic:
    if held.column.name != CALLER:
        return Traffic(held.n, seconds, {})
    bins = (*held.column.categories, *_REST)
    return Traffic(held.n, seconds, {name: held.counts[..., place] for place, name in enumerate(bins)})
