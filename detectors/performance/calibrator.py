"""Calibrators: the chance that a row is of a class, by the bin of its score, as the labelled rows of a reference tell it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from core.block import Floats

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
    made = Calibrator(_isotonic(held), np.stack([_isotonic(one) for one in drawn]))
    for array in made:
        array.flags.writeable = False  # one array for all who ask
    return made


def _isotonic(held: Floats) -> Floats:
    """The chance by bin, of rows of the class and others (2, bins)."""
    rows = held.sum(0)
    there = np.flatnonzero(rows)
    if not len(there):
        return np.full(len(rows), np.nan)
    found = isotonic_regression(held[0, there] / rows[there], weights=rows[there]).x
    return np.asarray(np.interp(np.arange(len(rows)), there, found))
