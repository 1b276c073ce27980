"""The p-value at which a monitor may alarm, for a budget of alarm windows: from the windows of a reference, in which nothing moved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints


class Allowed(NamedTuple):
    """What is allowed: `windows` blocks with an alarm in `period`; a block is `block` long and holds `tests` windows. Lengths are in microseconds."""

    windows: int
    period: int
    block: int
    tests: int = 1

    @property
    def rate(self) -> float:
        """The share of blocks that may hold an alarm."""
        return self.windows * self.block / self.period


class Allowance(NamedTuple):
    """A breach is a p-value of `p` or less. `expected` is the share of blocks in which that raises an alarm, `blocks` how many there were.

    `extrapolated`: the reference cannot tell, so the law of p-values decides instead of windows.
    """

    p: float
    expected: float
    blocks: int
    extrapolated: bool


def allowance(p: Floats, block: Ints, allowed: Allowed, persist: tuple[int, int]) -> Allowance:
    """The largest p-values that may count as breaches, so that no more blocks of windows hold an alarm than are allowed.

    p: (windows, series), windows in order, NaN where there is none; block: (windows,), the block of each window; persist: m of n windows. An alarm
    is a breach with m breaches among the series' last n windows that have a p-value. With N blocks, floor(rate (N + 1)) of them may hold an alarm: a new block
    that is exchangeable with these then does with probability `rate` at most (conformal prediction; Vovk, Gammerman and Shafer 2005).
    """
    there = ~np.isnan(p)
    blocks, series = len(np.unique(block[there.any(1)])), int(there.any(0).sum())
    most = allowed.windows * allowed.block * (blocks + 1) // allowed.period
    tail = Allowance(_tail(allowed.rate, max(series, 1) * allowed.tests), min(allowed.rate, 1.0), blocks, extrapolated=True)
    steps = np.unique(p[there])
    if most < 1 or not len(steps):
        return tail

    def alarms(step: int) -> int:
        return _alarms(p <= steps[step], there, block, persist)

    low, high = -1, len(steps) - 1  # the last step that is known to be allowed, and the last that may be
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if alarms(middle) <= most else (low, middle - 1)
    if low < 0:  # even the smallest p-value is too common
        return tail._replace(p=max(0.0, min(tail.p, float(np.nextafter(steps[0], -1.0)))))
    found = alarms(low)
    first, last = 0, low  # of the steps with as many alarms the first
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if alarms(middle) == found else (middle + 1, last)
    return Allowance(float(steps[first]), found / (blocks + 1), blocks, extrapolated=False)


def _tail(rate: float, tests: int) -> float:
    """The p-value that one of so many independent tests reaches with a probability of `rate`."""
    return 1.0 if rate >= 1 else float(-np.expm1(np.log1p(-rate) / tests))


def _alarms(breach: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_], block: Ints, persist: tuple[int, int]) -> int:
    """In how many blocks there is an alarm."""
    m, n = persist
    if n == 1:
        return len(np.unique(block[breach.any(1)]))
    alarm = np.zeros(len(breach), np.bool_)
    for one in range(breach.shape[1]):
        judged = np.flatnonzero(there[:, one])
        total = np.cumsum(np.concatenate([np.zeros(n, np.int64), breach[judged, one]]))
        alarm[judged[breach[judged, one] & (total[n:] - total[:-n] >= m)]] = True
    return len(np.unique(block[alarm]))
