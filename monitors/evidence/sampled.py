"""Draws raw rows of windows and of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.block import Floats, Ints, Predictions
from core.contract import Contract
from core.segment import ALL
from core.span import Spans
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads
from monitors.reference.facts import KEPT

MOST = 20_000  # rows of a side's sample
_FEWEST = 1_000  # of a model with many features
_CELLS = 400_000  # rows x features of a sample


class Drawn(NamedTuple):
    """The sample of a side, None if there are no rows; the slots that it is of; and whether rows that were counted are not there any more."""

    block: Predictions | None
    slots: Ints
    gone: bool


def each_alone(_reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """Each window alone, a `parts` for kinds of evidence whose rows are in memory."""
    return [slice(place, place + 1) for place in range(len(windows))]


def sample_size(contract: Contract, times: int = 1) -> int:
    """How many rows of a side are drawn at most: fewer where a model has many features. `times` as many are drawn where they are needed once."""
    return max(_FEWEST, min(times * MOST, times * _CELLS // max(1, len(contract.features))))


def drawn(reads: Reads, extent: Extent, side: Sequence[Spans], most: int) -> Drawn:
    """The sample of a side, whose parts are pooled; each is one span."""
    rows = extent.pooled(dense.Rows(reads.predictions(extent), extent.cells, (ALL,)).total("n"), side).item()
    slots = reads.slots_of(side)
    block = reads.sample(slots, most)
    return Drawn(block, slots, (0 if block is None else len(block)) < min(rows, most))


def kept(reads: Reads, most: int) -> tuple[Predictions | None, bool]:
    """The sample of the reference, and whether it is not there: a reference of an earlier version was not kept. Raises Retryable while it is not in the fact store in whole: its panes are the last of it, a part of its rows would be another sample."""
    reads.reference_stored()
    block = reads.sample_of_reference(min(most, KEPT))
    return block, block is None and reads.scope.model.reference is not None


def places_among(values: Floats, known: Floats) -> Floats:
    """Numbers by their place among `known` ones (ascending, distinct), in halves where they are between two: trees split them as the numbers, which may be too large for them. NaN stays."""
    found = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    return np.where(np.isnan(values), np.nan, found)
