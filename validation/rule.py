"""The usual rules of thumb, on the same windows: PSI above 0.1, and a p-value below 0.05 of Kolmogorov-Smirnov or chi-square in any column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import chdtrc
from scipy.stats import kstwobign

from core.block import Categories, Floats
from core.text import NULL
from validation.stream import Draw
from validation.world import Values


def p_values(columns: Mapping[str, Values], reference: Draw, windows: Draw) -> Floats:
    """The textbook p-value of each window and column: (windows, columns). Nulls are left out, as these rules do.

    Numbers: `scipy.stats.ks_2samp(x, y, method="asymp")`, without its rounding of the effective size. Categories: `scipy.stats.chi2_contingency`.
    """
    return np.stack([_column(values, reference, windows) for values in columns.values()], axis=1)


def _column(values: Values, reference: Draw, windows: Draw) -> Floats:
    if isinstance(values, Categories):
        place, width = values.codes.astype(np.int64), len(values.texts)
        keep = np.array([text != NULL for text in values.texts])
    else:
        distinct, place = np.unique(values, return_inverse=True)
        width, keep = len(distinct), np.isfinite(distinct)
    base = reference.counts(place, width).sum(0)[keep]
    found = []
    for first in range(0, windows.windows, 50):
        counts = windows.take(first, min(first + 50, windows.windows)).counts(place, width)[:, keep]
        found.append(_chi_square(counts, base) if isinstance(values, Categories) else _kolmogorov_smirnov(counts, base))
    return np.concatenate(found)


def _kolmogorov_smirnov(counts: Floats, base: Floats) -> Floats:
    n, m = counts.sum(1), base.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(np.cumsum(counts, axis=1) / n[:, None] - np.cumsum(base) / m).max(1, initial=0.0)
        return np.where(n > 0, kstwobign.sf(np.sqrt(n * m / (n + m)) * apart), 1.0)


def _chi_square(counts: Floats, base: Floats) -> Floats:
    n, m = counts.sum(1, keepdims=True), base.sum()
    both = counts + base
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(both > 0, (counts / n - base / m) ** 2 / both, 0.0)
    degrees = (both > 0).sum(1) - 1
    return np.asarray(np.where((n[:, 0] > 0) & (degrees > 0), chdtrc(np.maximum(degrees, 1), n[:, 0] * m * terms.sum(1)), 1.0))
