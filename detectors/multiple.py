"""Many tests at once: which of the smallest p-values stay rare if all of them are looked at together?"""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control

from core.block import Floats


def q_values(p: Floats, *, dependent: bool = False) -> Floats:
    """The p-values (n,) adjusted for their number: of the tests with q up to x at most about the share x is false. NaN, where there was no test, stays NaN.

    By Benjamini and Hochberg 1995, which holds for tests that are independent or move together; with `dependent` by Benjamini and Yekutieli 2001, which
    holds for tests that depend on one another in any way.
    """
    found, there = np.full(p.shape, np.nan), ~np.isnan(p)
    if there.any():
        found[there] = false_discovery_control(p[there], method="by" if dependent else "bh")
    return found
