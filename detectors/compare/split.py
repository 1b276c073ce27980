"""Whether traffic is split between two sides as it is meant to be, however often one looks."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

from core.block import Floats, Ints
from core.span import Flags

CERTAIN = 0.001  # the chance with which a fair split is ever called biased
_WEIGHT = 1_000.0  # rows that the prior is worth: a bias of a point and a half is expected
_OFF = 1e-5  # the chance of a silence from which a side is taken to be off


def against(a: Floats, b: Floats, share: float) -> Floats:
    """How many times more likely the counts of two sides are under some other split than under the share of b that is meant: (...), counts of rows that are assigned by chance.

    The ratio of a beta-binomial law around the share and the binomial one, whose inverse is a p-value at all times together. Source: Lindon and Malek,
    Anytime-valid inference for multinomial count data (NeurIPS 2022).
    """
    first, second = _WEIGHT * share, _WEIGHT * (1 - share)
    mixed = betaln(first + b, second + a) - betaln(first, second)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(mixed - b * np.log(share) - a * np.log1p(-share)))


def biased(a: Floats, b: Floats, share: float) -> Flags:
    """Where the split is not the one that is meant."""
    return np.asarray(against(a, b, share) >= 1 / CERTAIN)


def counted(a: Floats, b: Floats, joined: Flags, share: float) -> tuple[Floats, Floats]:
    """The rows of both sides that count as assigned by chance, in all panes up to each: (panes,) each. a, b: rows of panes; `joined`: the pane begins where the one before it ends.

    A pane counts from the next one on. Those count that follow one with rows, are followed by one, and come after both sides have begun; not those in which a side is off, nor the panes beside
    them, in which it ends or begins. A side is off where it is silent while so many rows of the other come that a fair split is as silent with a chance of `_OFF`: a pane without rows of a side that
    gets few is none of it, and leaving such panes out would make a fair split look biased.
    """
    panes, there = len(a), a + b > 0
    whole = np.zeros(panes, np.bool_)
    whole[1:-1] = (there[1:-1] & there[:-2] & there[2:] & joined[1:-1] & joined[2:]) & ((np.cumsum(a) > 0) & (np.cumsum(b) > 0))[:-2]
    off = np.minimum(_off(b == 0, a * np.log1p(-share)), _off(a == 0, b * np.log(share)))
    enters = np.flatnonzero(whole & (off > np.arange(panes) + 1))
    leaves = enters[off[enters] < panes]
    found = []
    for rows in (a, b):
        moved = np.zeros(panes)
        np.add.at(moved, enters + 1, rows[enters])
        np.add.at(moved, off[leaves], -rows[leaves])
        found.append(np.cumsum(moved))
    return found[0], found[1]


def _off(silent: Flags, chance: Floats) -> Ints:
    """The pane at which it is known that a side is off in a pane, or in one beside it: (panes,), the number of panes if never. `chance` is the logarithm of that of no row in each pane."""
    panes, run = len(silent), np.cumsum(~silent)  # a silence has one number, which the pane before it has, too
    own = np.where(silent, chance, 0.0)
    summed = np.cumsum(own)
    so_far = summed - (summed - own)[np.searchsorted(run, run)]
    known = np.flatnonzero(silent & (so_far < np.log(_OFF)))
    first = np.full(int(run[-1]) + 1 if panes else 1, panes)
    np.minimum.at(first, run[known], known)
    found = first[run]
    found[1:] = np.minimum(found[1:], np.where(silent[:-1], found[:-1], panes))
    return found
