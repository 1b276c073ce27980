"""Calibrators: the chance that a row is of a class, by the bin of its score, as the labelled rows of a reference tell it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.block import Floats, Ints

DRAWS = 100  # calibrators of resampled references
_SEED = 30
_KEPT = 512  # calibrators in memory, a quarter of a megabyte each


class Calibrator(NamedTuple):
    """The chance by score bin (bins,), and that of each of the `DRAWS` resampled references (draws, bins). NaN if the reference has no labelled row with a score."""

    chance: Floats
    drawn: Floats


def calibrator(positive: Floats, negative: Floats) -> Calibrator:
    """The calibrator of a reference with so many rows of the class, and of others, in each score bin; both (bins,).

    The chance does not fall as the score rises: it is the isotonic regression of the rows on their bins (Zadrozny and Elkan 2002), and between bins with rows it is interpolated.
    References are resampled by Poisson's bootstrap, with a stored seed.
    """
    return _made(positive.tobytes(), negative.tobytes())


@lru_cache(_KEPT)
def _made(positive: bytes, negative: bytes) -> Calibrator:
    held = np.stack([np.frombuffer(positive), np.frombuffer(negative)])
    drawn = np.random.Generator(np.random.PCG64(_SEED)).poisson(held, (DRAWS, *held.shape))
    made = Calibrator(_isotonic(held[None])[0], _isotonic(drawn))
    for array in made:
        array.flags.writeable = False  # one array for all who ask
    return made


def _isotonic(held: Floats | Ints) -> Floats:
    """The chance by bin (references, bins), of rows of the class and others (references, 2, bins)."""
    from scipy.optimize import isotonic_regression  # it takes half a second to import, and most monitors calibrate nothing

    rows = held.sum(1)
    which, there = np.nonzero(rows)
    made = np.full(rows.shape, np.nan)
    if not len(there):
        return made
    share = held[which, 0, there] / rows[which, there]
    # One regression of all references: a share is at most 1, so those of the next one, 2 higher, never join them.
    found = isotonic_regression(share + 2.0 * which, weights=rows[which, there]).x - 2.0 * which
    bins, ends = np.arange(rows.shape[1]), np.searchsorted(which, np.arange(len(rows) + 1))
    for index in np.unique(which):
        one = slice(ends[index], ends[index + 1])
        made[index] = np.interp(bins, there[one], found[one])
    return np.clip(made, 0.0, 1.0)
