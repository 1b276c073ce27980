"""KSWIN of river with the p-values of its test kept: two samples of one size have few distances, and the p-value is a function of the distance."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt


@lru_cache(10_000)
def p_of(rank: int, size: int) -> float:
    """The p-value of the two-sided Kolmogorov-Smirnov test of two samples of one size whose distributions are `rank` / size apart, as `scipy.stats.ks_2samp` gives it."""
    from scipy.stats import ks_2samp

    # Two samples so far apart: `rank` values of the one are below all of the other, and the rest are shared.
    rest = np.arange(size - rank, dtype=np.float64)
    return float(ks_2samp(np.concatenate([np.full(rank, -1.0), rest]), np.concatenate([rest, np.full(rank, size + 1.0)])).pvalue)


def detected(detector: Any, values: npt.NDArray[np.float64]) -> list[int]:
    """The rows (n,) at which river's KSWIN, a new one, detects a change: the same draws and the same test as its `update`, of which a row takes a tenth of the time."""
    size, most, alpha = detector.stat_size, detector.window_size, detector.alpha
    found, first, n = list[int](), 0, len(values)
    while first + most <= n:
        draw = random.Random(detector.seed).sample  # noqa: S311 - river's own, which starts anew after a detection
        for at in range(first + most - 1, n):
            window = values[at - most + 1 : at + 1]
            old = np.sort(window[draw(range(most - size), size)])
            new = np.sort(window[most - size :])
            every = np.concatenate([old, new])
            rank = int(np.abs(np.searchsorted(old, every, "right") - np.searchsorted(new, every, "right")).max())
            if rank / size > 0.1 and p_of(rank, size) <= alpha:
                found.append(at)
                break
        else:
            break
        first = at + 1
    return found
