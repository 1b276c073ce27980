"""Wasserstein distance of order 1, from bins with their sums, in units of the spread of the reference (`Column.scale`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Kind
from detectors.contribution import at, bin_names, documents
from detectors.drift.comparison import about, compared
from detectors.drift.ks import COARSE, NO_NUMBERS, WIDEST, steps
from detectors.evidence import Sums
from detectors.spec import NoParams, Places, Result, Spec, estimable
from detectors.summary.bins import atoms

_NOISE = 1e-12  # of shares
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
    with np.errstate(invalid="ignore", over="ignore"):
        centred = (
            side.sums[..., : column.values] / size[..., None] - pivot * share for side, size, share in ((target, n, f), (baseline, m, g))
        )
        mean, its = centred
        return np.asarray(width * before - mean + its)


def _compute(target: Sums, baseline: Sums, _params: NoParams) -> Result:
    column, scale = target.column, target.column.scale
    (n, f, below), (m, g, other) = steps(target.counts, column), steps(baseline.counts, column)
    apart = (below - other) - (f - g)  # F - G where the bin begins; within it F - G may change its sign between - f and g
    loose = np.where(atoms(column.edges) | (apart >= g - _NOISE) | (apart <= _NOISE - f), 0.0, np.minimum(f, g)).max(-1)
    held = areas(target, baseline)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(held).sum(-1) / (scale or np.nan)
    value, why = estimable(
        distance,
        ((n == 0) | (m == 0), NO_NUMBERS),
        (scale is None, NO_SPREAD),
        (not (target.known and baseline.known), target.unknown),
        (loose > WIDEST, COARSE),
    )

    def evidence(places: Places) -> list[dict[str, Any]]:
        shape = value.shape
        p, q, terms = (at(one, shape, places) for one in (f, g, np.abs(held)))
        return documents(column, bin_names(column), p, q, terms)

    return Result(value, why, evidence=evidence)


SPEC = Spec(
    about=about(
        "wasserstein",
        "Wasserstein distance",
        "sum over bins of |integral of F - G|, divided by the reference's interquartile range (its standard deviation where that is 0)",
        "Wasserstein",
        unit="IQR",
        kinds=(Kind.NUMERIC,),
        tested=False,
    ),
    evidence=Sums,
    compute=compared(_compute),
    no_value="numbers too large to be summed",
)
