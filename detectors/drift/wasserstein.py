"""Wasserstein distance of order 1, from bins with their sums, or from raw rows where these are too coarse, in units of the spread of the reference (`Column.scale`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Kind
from detectors.contribution import at, bin_names, documents
from detectors.documents import Documents, joined
from detectors.drift.comparison import about, compared
from detectors.drift.ks import NO_NUMBERS, WIDEST, steps
from detectors.drift.raw import COARSE, of_rows
from detectors.evidence import Sums
from detectors.law import chi_square_like
from detectors.spec import Law, NoParams, Places, Result, Spec, estimable
from detectors.summary.bins import atoms

_NOISE = 1e-12  # of shares
_SPREAD = 1 - 15 * np.pi / 56  # of the mean of the square of the integral of |a Brownian bridge|, its variance
NO_SPREAD = "the contract has no spread of a reference in this column to divide by"


def areas(target: Sums, baseline: Sums) -> Floats:
    """The integral of F - G over each value bin [a, b): b (F - G)(b) - a (F - G)(a) - (sum_x / n - sum_y / m), x and y being the bin's numbers.

    Both are taken from the bin's own edge, so that little cancels. Returns (..., values), in the column's unit.
    """
    column = target.column
    edges = np.asarray(column.edges, np.float64)
    (n, f, below), (m, g, other) = steps(target.counts, column), steps(baseline.counts, column)
    pivot = np.append(edges, edges[-1:]) if len(edges) else np.zeros(1)
    width = np.concatenate([[0.0], np.diff(edges), [0.0]])[: column.values]  # the outer bins begin and end where F = G
    before = np.concatenate([np.zeros_like(below[..., :1]), (below - other)[..., :-1]], axis=-1)
    # A reference without all of its rows (`Sums.without`) may have a sum of 1e-17: its windows are summed in another order.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        centred = (
            side.sums[..., : column.values] / size[..., None] - pivot * share for side, size, share in ((target, n, f), (baseline, m, g))
        )
        mean, its = centred
        return np.asarray(width * before - mean + its)


def wasserstein_of_rows(x: Floats, y: Floats) -> float:
    """The integral of |F - G| of two samples, both with a number, in the column's unit: what `scipy.stats.wasserstein_distance(x, y)` gives.

    It is written here because `scipy.stats` takes a second of CPU to import, in each process.
    """
    both = np.sort(np.concatenate([x, y]))
    f, g = (np.searchsorted(np.sort(side), both[:-1], "right") / len(side) for side in (x, y))
    with np.errstate(over="ignore", invalid="ignore"):
        return float((np.abs(f - g) * np.diff(both)).sum())


def _compute(target: Sums, baseline: Sums, _params: NoParams) -> Result:
    column, scale = target.column, target.column.scale
    (n, f, below), (m, g, other) = steps(target.counts, column), steps(baseline.counts, column)
    apart = (below - other) - (f - g)  # F - G where the bin begins; within it F - G may change its sign between - f and g
    wide = np.where(atoms(column.edges) | (apart >= g - _NOISE) | (apart <= _NOISE - f), 0.0, np.minimum(f, g)).max(-1)
    loose = wide > WIDEST
    held = areas(target, baseline)
    with np.errstate(invalid="ignore", over="ignore"):
        binned = np.abs(held).sum(-1)
        distance = np.where(loose, of_rows(target, baseline, loose & (scale is not None), wasserstein_of_rows), binned) / (scale or np.nan)
    value, why = estimable(
        distance,
        ((n == 0) | (m == 0), NO_NUMBERS),
        (scale is None, NO_SPREAD),
        (not (target.known and baseline.known), target.unknown),
        (loose & np.isnan(distance), COARSE),
    )

    def evidence(places: Places) -> Sequence[dict[str, Any]]:
        shape = value.shape
        p, q, terms = (at(one, shape, places) for one in (f, g, np.abs(held)))
        found, rows = documents(column, bin_names(column), p, q, terms), np.broadcast_to(loose, shape)[places].tolist()
        return joined(found, Documents(len(rows), **{"from": ["rows" if of else None for of in rows]}))

    return Result(value, why, law=_law(target, baseline, value * (scale or np.nan)), evidence=evidence)


def _law(target: Sums, baseline: Sums, distance: Floats) -> Law:
    """The law of the distance in the column's unit: its square over its mean, with the degrees of freedom that it has for uniform numbers.

    The distance is the integral of |F - G|, whose mean is sqrt(2 h / pi) times the integral of sqrt(F (1 - F)), F being that of both sides together. F is taken as even
    within a bin and as exponential in the outer ones. Source: Shorack and Wellner 1986, section 3.8.
    """
    column = target.column
    edges, values = np.asarray(column.edges, np.float64), column.values
    counts, sums = (
        one[..., :values] + other[..., :values] for one, other in ((target.counts, baseline.counts), (target.sums, baseline.sums))
    )
    n, m = (side.counts[..., :values].sum(-1) for side in (target, baseline))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = counts / (n + m)[..., None]
        below = np.minimum(np.cumsum(share, axis=-1), 1.0)
        root = np.sqrt(below * (1 - below))[..., :-1]  # at the edges
        within = ((root[..., 1:] + root[..., :-1]) / 2 * np.diff(edges)).sum(-1)
        tails = (
            np.where(counts[..., place] > 0, 2 * np.sqrt(share[..., place]) * np.abs(sums[..., place] / counts[..., place] - edge), 0.0)
            for place, edge in ((0, edges[:1].sum()), (-1, edges[-1:].sum()))
        )
        mean = np.sqrt(2 / np.pi * (1 / n + 1 / m)) * (within + sum(tails))
        return chi_square_like(distance**2 * (1 - _SPREAD) / mean**2, np.asarray(_SPREAD))


SPEC = Spec(
    about=about(
        "wasserstein",
        "Wasserstein distance",
        "sum over bins of |integral of F - G|, divided by the reference's interquartile range (its standard deviation where that is 0)",
        "Wasserstein",
        unit="IQR",
        kinds=(Kind.NUMERIC,),
    ),
    evidence=Sums,
    compute=compared(_compute),
    no_value="numbers too large to be summed",
)
