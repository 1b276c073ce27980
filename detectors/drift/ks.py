"""Kolmogorov-Smirnov distance, from bins, or from raw rows where these are too coarse."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Column, Kind
from detectors.drift.comparison import about, compared
from detectors.drift.raw import COARSE, of_rows
from detectors.evidence import Counts
from detectors.interval import dkw
from detectors.law import kolmogorov_distance
from detectors.spec import NoParams, Places, Result, Spec, estimable
from detectors.summary.bins import atoms

WIDEST = 0.05  # of a bound: a wider one is no value
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


def ks_of_rows(x: Floats, y: Floats) -> float:
    """The largest difference of the distributions of two samples, both with a number: `scipy.stats.ks_2samp(x, y).statistic`."""
    seen = np.concatenate([x, y])
    below, other = (np.searchsorted(np.sort(side), seen, side="right") / len(side) for side in (x, y))
    return float(np.abs(below - other).max())


def _compute(target: Counts, baseline: Counts, _params: NoParams) -> Result:
    column = target.column
    binned, bound = ks(target.counts, baseline.counts, column)
    loose = bound > WIDEST
    exact = of_rows(target, baseline, loose, ks_of_rows)
    distance, bound = np.where(loose, exact, binned), np.where(loose, 0.0, bound)
    value, why = estimable(distance, (np.isnan(binned), NO_NUMBERS), (np.isnan(distance), COARSE))
    n, m = (side.counts[..., : column.values].sum(-1) for side in (target, baseline))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            near = dkw(n / phi, m / phi)
        return np.maximum(value - near, 0.0), np.minimum(value + bound + near, 1.0)

    def evidence(places: Places) -> list[dict[str, Any]]:
        held = zip(*(np.broadcast_to(one, value.shape)[places].tolist() for one in (bound, loose)), strict=True)
        return [{"bound": width} | ({"from": "rows"} if of else {}) for width, of in held]

    return Result(value, why, interval, kolmogorov_distance(value, n, m), evidence)


SPEC = Spec(
    about=about("ks", "Kolmogorov-Smirnov distance", "max |F - G| at the edges of the bins", "KS", kinds=(Kind.NUMERIC,)),
    evidence=Counts,
    compute=compared(_compute),
    no_value=NO_NUMBERS,
)
