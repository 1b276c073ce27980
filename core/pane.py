"""The slots of event time. A slot is a fixed stretch of time, `Contract.pane` microseconds long; a pane is the summary of one slot and segment.

What input panes hold is in `detectors.summary.inputs`, what performance panes hold in `detectors.summary.performance`.
"""

from __future__ import annotations

import numpy as np

from core.block import Ints


def slot_of(ts: Ints, pane: int) -> Ints:
    """The start of the slot of `pane` microseconds into which each time falls, all in microseconds."""
    return np.floor_divide(ts, pane) * pane
