"""Panes: small additive summaries of one slot of event time. The key of a pane, and the columns of its table.

An input pane is keyed by (model, contract version, model version, role, pane length, generation, segment, column, slot); it holds sparse
counts and sums by bin. A performance pane has no column, and is always recomputed, never incremented.
"""

from __future__ import annotations

import numpy as np

from core.block import Ints


def slot_of(ts: Ints, pane: int) -> Ints:
    """The start of the pane of `pane` microseconds that each time falls into."""
    return np.floor_divide(ts, pane) * pane
