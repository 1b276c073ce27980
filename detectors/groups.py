"""Groups: which bins are taken together for PSI and KL."""

from __future__ import annotations

import numpy as np

from core.block import Floats, Ints
from core.contract import Column

GROUPS = 10


def groups(column: Column, reference: Floats) -> Ints:
    """The group of each bin, made once a column from the whole reference's counts; reference: (bins,), returns (bins,).

    Numeric: value bin i goes to `min(9, 10 * (2 * before + own) // (2 * total))`, in whole numbers, by the reference's counts of value bins.
    Categories: the reference's top 9 are a group each, the other kept ones and `other` are one. `unseen`, `null` and `invalid` stay, in this order
    after the groups. Without any reference, every value bin counts the same.
    """
    own = reference[: column.values].astype(np.int64)
    own = own if own.any() else np.ones_like(own)
    if column.numeric:
        before = np.cumsum(own) - own
        of_values = np.minimum(GROUPS - 1, GROUPS * (2 * before + own) // (2 * own.sum()))
        return np.append(of_values, [GROUPS, GROUPS + 1])
    of_values = np.full(column.values, GROUPS - 1)
    top = np.argsort(-own, kind="stable")[: GROUPS - 1]
    of_values[top] = np.arange(len(top))
    return np.append(of_values, [GROUPS - 1, GROUPS, GROUPS + 1, GROUPS + 2])
