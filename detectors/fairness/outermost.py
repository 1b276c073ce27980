"""The groups that can be a side of the widest gap, so that the cost of all pairs of many groups is that of a few pairs.

The lower bound of a gap is the larger the farther apart both figures are and the narrower their intervals, the upper one the farther apart and the wider. So a group that
is farther in than another, with an interval that is no better, need not be compared: the other one is at least as good a side of any pair (the skyline of figures and widths).
"""

from __future__ import annotations

import numpy as np

from core.block import Floats, Ints
from core.span import Flags


def outermost(value: Floats, width: Floats, kept: Flags, *, wide: bool) -> tuple[Ints, Flags]:
    """The places of groups that can be the higher side of the widest gap, ascending, and which of these are meant: each (..., places), as many as the most of any row.

    `value` (..., groups), and how wide the interval is on the side that counts; give -value for the lower side. `wide`: for upper bounds.
    A group that is better may be the other side of the pair itself. Then a lower bound is not above 0, and does not matter; for upper bounds two groups must be better.
    """
    counted = kept & ~np.isnan(value) & ~np.isnan(width)
    out, better = np.where(counted, value, -np.inf), np.where(counted, width if wide else -width, -np.inf)
    order = np.lexsort((-better, -out), axis=-1)  # stable: of equal groups the first is meant
    found = np.take_along_axis(better, order, -1)
    best = _before(np.maximum.accumulate(found, axis=-1))
    if wide:
        best = _before(np.maximum.accumulate(np.minimum(found, best), axis=-1))
    meant = np.zeros_like(counted)
    np.put_along_axis(meant, order, found > best, -1)
    groups = value.shape[-1]
    places = np.sort(np.where(meant, np.arange(groups), groups - 1), axis=-1)
    each = meant.sum(-1, keepdims=True)
    places = places[..., : max(1, int(each.max(initial=0)))]
    return places, np.arange(places.shape[-1]) < each


def _before(running: Floats) -> Floats:
    """What an accumulated number was before each place; minus infinity before the first."""
    return np.concatenate([np.full_like(running[..., :1], -np.inf), running[..., :-1]], axis=-1)
