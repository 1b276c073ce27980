"""The p-value at which a monitor may alarm, for a budget of alarm windows: from the windows of a reference, in which nothing moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints


class Allowance(NamedTuple):
    """A breach is a p-value of `p` or less. `expected` is the share of blocks in which that raises an alarm, `blocks` how many there were.

    `extrapolated`: the reference is too short for the budget, so the law of p-values decides instead of windows.
    """

    p: float
    expected: float
    blocks: int
    extrapolated: bool


def allowance(p: Floats, block: Ints, rate: float, persist: tuple[int, int]) -> Allowance:
    """The largest p-values that may count as breaches, so that at most `rate` of blocks of windows hold an alarm.

    p: (windows, series), windows in order, NaN where there is none; block: (windows,), the block of each window; persist: m of n windows. An alarm
    is a window in which a series has m breaches among its last n windows. With N blocks, floor(rate (N + 1)) of them may alarm: a new block that is
    exchangeable with these then alarms with probability `rate` at most (conformal prediction; Vovk, Gammerman and Shafer 2005).
    """
    there = ~np.isnan(p)
    blocks, series = len(np.unique(block[there.any(1)])), int(there.any(0).sum())
    allowed = int(np.floor(rate * (blocks + 1)))
    if allowed < 1:
        return Allowance(float(-np.expm1(np.log1p(-rate) / max(series, 1))), rate, blocks, extrapolated=True)
    steps = np.unique(p[there])

    def alarms(step: int) -> int:
        return _alarms(p <= steps[step], block, persist)

    low, high = -1, len(steps) - 1  # the last step that is known to be allowed, and the last that may be
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if alarms(middle) <= allowed else (low, middle - 1)
    if low < 0:
        return Allowance(float(np.nextafter(steps[0], -1.0)), 0.0, blocks, extrapolated=False)
    found = alarms(low)
    first, last = 0, low  # of the steps with as many alarms the first
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if alarms(middle) == found else (middle + 1, last)
    return Allowance(float(steps[first]), found / (blocks + 1), blocks, extrapolated=False)


def _alarms(breach: npt.NDArray[np.bool_], block: Ints, persist: tuple[int, int]) -> int:
    """In how many blocks there is an alarm."""
    m, n = persist
    total = np.cumsum(np.concatenate([np.zeros((n, breach.shape[1]), np.int64), breach]), axis=0)
    return len(np.unique(block[(total[n:] - total[:-n] >= m).any(1)]))
