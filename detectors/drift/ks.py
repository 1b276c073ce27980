"""Kolmogorov-Smirnov distance, from bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Column, Kind
from detectors.drift.comparison import about, compared
from detectors.evidence import Counts
from detectors.interval import dkw
from detectors.law import kolmogorov_distance
from detectors.spec import NoParams, Places, Result, Spec, estimable
from detectors.summary.bins import atoms

WIDEST = 0.05  # of a bound: a wider one is no value
COARSE = "bins too coarse"
NO_NUMBERS = "one side has no numbers"


def steps(counts: Floats, column: Column) -> tuple[Floats, Floats, Floats]:
    """Of the finite numbers: how many (...), their shares by value bin, and below the upper end of each bin, both (..., values)."""
    held = counts[..., : column.values]
    n = held.sum(-1)
    with np.errstate(invalid="ignore"):
        share = held / n[..., None]
    return n, share, np.minimum(np.cumsum(share, axis=-1), 1.0)


def ks(target: Floats, baseline: Floats, column: Column) -> tuple[Floats, Floats]:
    """The largest difference of the two distributions at an edge, and how much larger D can be.

    D_bin <= D <= D_bin + max min(f, g) over the bins that hold more than one value, f and g being the shares of either side. target, baseline: counts (..., bins)
    of a numeric column, whose leading dimensions broadcast. Returns two (...), NaN where a side has no number.
    Source: Kolmogorov 1933, Smirnov 1939; D is `scipy.stats.ks_2samp(x, y).statistic` of the finite numbers.
    """
    (_, f, below), (_, g, other) = steps(target, column), steps(baseline, column)
    loose = np.where(atoms(column.edges), 0.0, np.minimum(f, g))
    return np.abs(below - other).max(-1), loose.max(-1)


def _compute(target: Counts, baseline: Counts, _params: NoParams) -> Result:
    column = target.column
    distance, bound = ks(target.counts, baseline.counts, column)
    value, why = estimable(distance, (np.isnan(distance), NO_NUMBERS), (bound > WIDEST, COARSE))
    n, m = (side.counts[..., : column.values].sum(-1) for side in (target, baseline))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            near = dkw(n / phi, m / phi)
        return np.maximum(value - near, 0.0), np.minimum(value + bound + near, 1.0)

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [{"bound": held} for held in np.broadcast_to(bound, value.shape)[places].tolist()]

    return Result(value, why, interval, kolmogorov_distance(value, n, m), evidence)


SPEC = Spec(
    about=about("ks", "Kolmogorov-Smirnov distance", "max |F - G| at the edges of the bins", "KS", kinds=(Kind.NUMERIC,)),
    evidence=Counts,
    compute=compared(_compute),
    no_value=NO_NUMBERS,
)
