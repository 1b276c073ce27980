"""Calibration of a binary model's scores, from the rows of one place (docs/measures.md)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tests.oracle.rows import Rows
from tests.oracle.value import numbers

Numbers = npt.NDArray[np.float64]
_LOGITS = 1 / (1 + np.exp(-np.linspace(-10, 10, 101)))
DRAWS, SEED = 200, 11

_Cells = list[tuple[int, float, int]]  # by group: rows, sum of scores, positives


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
    bounds = sorted({int(np.argmin(np.abs(cuts - tenth / 10))) for tenth in range(1, 10)})
    ranges = list(pairwise([-1, *bounds, len(cuts)]))  # a group holds the bins after one cut, up to the next

    def cells(positives: npt.NDArray[np.int64]) -> _Cells:
        inside = [(bins > low) & (bins <= high) for low, high in ranges]
        return [(int(n[one].sum()), float(total[one].sum()), int(positives[one].sum())) for one in inside if one.any()]

    formula, value = _FORMULAS[measure], _FORMULAS[measure](cells(right))
    if measure in ("uncertainty.ece", "uncertainty.mce"):
        drawn = np.random.default_rng(SEED).binomial(n, np.clip(total / n, 0, 1), (DRAWS, len(bins)))
        value = max(0.0, value - float(np.mean([formula(cells(one)) for one in drawn])))
    return value, len(score)


def _gaps(cells: _Cells) -> Numbers:
    return np.array([right / n - total / n for n, total, right in cells])


def _rows(cells: _Cells) -> Numbers:
    return np.array([n for n, _, _ in cells], np.float64)


def _resolution(cells: _Cells) -> float:
    shares, rows = np.array([right / n for n, _, right in cells]), _rows(cells)
    return float(np.average((shares - np.average(shares, weights=rows)) ** 2, weights=rows))


_FORMULAS: dict[str, Callable[[_Cells], float]] = {
    "uncertainty.ece": lambda cells: float(np.average(np.abs(_gaps(cells)), weights=_rows(cells))),
    "uncertainty.mce": lambda cells: float(np.abs(_gaps(cells)).max()),
    "uncertainty.brier_reliability": lambda cells: float(np.average(_gaps(cells) ** 2, weights=_rows(cells))),
    "uncertainty.brier_resolution": _resolution,
}
MEASURES = tuple(_FORMULAS)
