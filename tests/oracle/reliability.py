"""Calibration of a binary model's scores, from the rows of one place (docs/measures.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import integrate, stats

from tests.oracle.rows import Rows
from tests.oracle.value import numbers

Numbers = npt.NDArray[np.float64]
_LOGITS = 1 / (1 + np.exp(-np.linspace(-10, 10, 101)))

_Cells = list[tuple[int, float, int, float]]  # by group: rows, sum of scores, positives, variance of these if the scores are right


def edges(rows: Rows) -> Numbers:
    """The edges of scores: 101 even ones in log odds, and the 99 inner percentiles of the positive and of the negative rows of the reference."""
    score, positive = scored(rows)
    parts = [score[rows.labelled & np.isfinite(score) & side] for side in (positive, ~positive)]
    percentiles = [np.quantile(part, np.arange(1, 100) / 100, method="inverted_cdf") for part in parts if len(part)]
    return np.unique(np.concatenate([_LOGITS, *percentiles]))


def scored(rows: Rows) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """The score of each row, NaN without one, and whether its label is the positive class."""
    score = numbers(rows.frame[rows.spec.score])
    return np.where(np.isfinite(score), score, np.nan), np.asarray(rows.outcomes().label == rows.spec.positive)


def of(measure: str, rows: Rows, held: npt.NDArray[np.int64], cuts: Numbers) -> tuple[float | None, int]:
    """The value (None: not estimable) over the labelled rows that are held, and how many of them have a score."""
    score, positive = (one[held] for one in rows.once("scored", lambda: scored(rows)))
    known = ~np.isnan(score)
    score, positive = score[known], positive[known]
    if not len(score):
        return None, 0
    place = np.searchsorted(cuts, score, side="right")
    bins = np.unique(place)
    n, total, right = (
        np.array([how(place == one) for one in bins]) for how in (np.sum, lambda one: score[one].sum(), lambda one: positive[one].sum())
    )
    if np.any(total < 0) or np.any(total > n * (1 + 1e-12)):  # no probabilities
        return None, len(score)
    mean = np.clip(total / n, 0, 1)
    bounds = sorted({int(np.argmin(np.abs(cuts - tenth / 10))) for tenth in range(1, 10)})
    ranges = list(pairwise([-1, *bounds, len(cuts)]))  # a group holds the bins after one cut, up to the next
    inside = [(bins > low) & (bins <= high) for low, high in ranges]
    cells = [
        (int(n[one].sum()), float(total[one].sum()), int(right[one].sum()), float((n * mean * (1 - mean))[one].sum()))
        for one in inside
        if one.any()
    ]
    return _FORMULAS[measure](cells), len(score)


def _gaps(cells: _Cells) -> Numbers:
    return np.array([right / n - total / n for n, total, right, _ in cells])


def _rows(cells: _Cells) -> Numbers:
    return np.array([n for n, _, _, _ in cells], np.float64)


def _deviations(cells: _Cells) -> Numbers:
    """The standard deviation of each group's gap if the scores are right."""
    return np.array([math.sqrt(spread) / n for n, _, _, spread in cells])


def _noise(cells: _Cells) -> Numbers:
    """The unbiased variance of each group's share of positives; 0 of a single row."""
    return np.array([np.repeat([1.0, 0.0], [right, n - right]).var(ddof=1) / n if n > 1 else 0.0 for n, _, right, _ in cells])


def _ece(cells: _Cells) -> float:
    found = []
    for gap, deviation in zip(np.abs(_gaps(cells)), _deviations(cells), strict=True):
        true = math.sqrt(max(0.0, gap**2 - deviation**2))
        seen = stats.foldnorm.mean(true / deviation, scale=deviation) if deviation > 0 else true
        found.append(gap - (seen - true))
    return max(0.0, float(np.average(found, weights=_rows(cells))))


@cache
def _largest(groups: int) -> float:
    """The mean of the largest of so many chi-squares of one degree."""
    return float(integrate.quad(lambda at: 2 * at * (1 - stats.chi2.cdf(at**2, 1) ** groups), 0, 15, epsabs=1e-14, limit=500)[0])


def _mce(cells: _Cells) -> float:
    squares = _gaps(cells) ** 2 - _largest(len(cells)) * _deviations(cells) ** 2
    return math.sqrt(float(squares.max())) if squares.max() > 1e-12 else 0.0


def _reliability(cells: _Cells) -> float:
    return float(np.average(_gaps(cells) ** 2 - _noise(cells), weights=_rows(cells)))


def _resolution(cells: _Cells) -> float:
    shares, rows = np.array([right / n for n, _, right, _ in cells]), _rows(cells)
    base, n = float(np.average(shares, weights=rows)), rows.sum()
    of_base = base * (1 - base) / (n - 1) if n > 1 else 0.0
    return float(np.average((shares - base) ** 2 - _noise(cells), weights=rows)) + of_base


_FORMULAS: dict[str, Callable[[_Cells], float]] = {
    "uncertainty.ece": _ece,
    "uncertainty.mce": _mce,
    "uncertainty.brier_reliability": _reliability,
    "uncertainty.brier_resolution": _resolution,
}
MEASURES = tuple(_FORMULAS)
