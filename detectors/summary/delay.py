"""Label delays: the time from a prediction to its label, in microseconds, and the bins of 2 % that panes keep of them."""

from __future__ import annotations

import numpy as np

from core import moment
from core.block import Ints

DELAY_BINS = 1_500
UNKNOWN = -1
_FIRST, _RATIO = moment.SECOND // 1_000, np.log(1.02)  # the first bin ends at a millisecond, the last begins after two hundred years


def delays(ts: Ints, label_ts: Ints) -> Ints:
    """The delay of each label (n,): 0 where a label is earlier than its prediction."""
    return np.asarray(np.maximum(label_ts - ts, 0), np.int64)


def delay_bins(found: Ints) -> Ints:
    """The bin of each known delay (n,), which rises with it."""
    return np.asarray(np.minimum(np.ceil(np.log(np.maximum(found, _FIRST) / _FIRST) / _RATIO), DELAY_BINS - 1), np.int64)


def whole_bins(ages: Ints) -> Ints:
    """The last bin that ends by each age in microseconds (n,), -1 before the first one ends: delays in bins up to it can all have been seen."""
    with np.errstate(divide="ignore"):
        found = np.floor(np.log(np.maximum(ages, 0) / _FIRST) / _RATIO)
    return np.asarray(np.clip(found, -1, DELAY_BINS - 1), np.int64)
