"""The slots of event time. A slot is a fixed stretch of time, `Contract.pane` microseconds long; a pane is the summary of one slot and segment.

What input panes hold is in `detectors.summary.inputs`, what performance panes hold in `detectors.summary.performance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.block import Ints


class HeldPanes(NamedTuple):
    """What the panes of a contract hold: the slots with predictions, ascending, and how many each holds; the segments with predictions; the versions of the model that have predictions, each with its first slot, the one that came last behind."""

    slots: Ints
    rows: Ints
    segments: Sequence[str]
    versions: Sequence[tuple[str, int]]


def slot_of(ts: Ints, pane: int) -> Ints:
    """The start of the slot of `pane` microseconds into which each time falls, all in microseconds."""
    return np.floor_divide(ts, pane) * pane


def cell_of(times: Ints, length: int, phase: int, bounds: Ints | None = None) -> Ints:
    """The start of the cell into which each time falls: `phase` modulo `length`, or the last of `bounds` (ascending) that is not after it."""
    if bounds is None:
        return np.asarray(times - (times - phase) % length, np.int64)
    return np.asarray(bounds[np.maximum(np.searchsorted(bounds, times, "right") - 1, 0)], np.int64)
