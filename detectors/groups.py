"""Groups of bins for measures that need few, well-filled bins, such as PSI."""

from __future__ import annotations

import numpy as np

from core.block import Floats, Ints
from core.contract import Column

GROUPS = 10


def groups(column: Column, reference: Floats) -> Ints:
    """The group of each bin of a column, made from the counts of the whole reference; reference: (bins,), returns (bins,); of a categorical column also (..., bins).

    Numeric: value bin i goes to group `min(9, 10 * (2 * before + own) // (2 * total))`, in whole numbers, by the reference's counts of value bins.
    Categorical: the reference's top 9 categories are a group each; the other categories and `other` are one group. `unseen`, `null` and `invalid` are a
    group each, in this order after the others. Without counts of the reference, every value bin counts the same.
    """
    own = reference[..., : column.values].astype(np.int64)
    if column.numeric:
        own = own if own.any() else np.ones_like(own)
        before = np.cumsum(own) - own
        of_values = np.minimum(GROUPS - 1, GROUPS * (2 * before + own) // (2 * own.sum()))
        return np.append(of_values, [GROUPS, GROUPS + 1])
    found = np.full((*own.shape[:-1], column.bins), GROUPS - 1)
    top = np.argsort(-own, axis=-1, kind="stable")[..., : GROUPS - 1]
    np.put_along_axis(found, top, np.arange(top.shape[-1]), axis=-1)
    found[..., column.values + 1 :] = np.arange(GROUPS, GROUPS + 3)
    return found
