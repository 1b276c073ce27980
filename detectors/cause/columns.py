"""Columns ranked by what they contribute to a measure's change, bin by bin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core import text
from core.block import Floats, Ints
from detectors.cause.rows import Axis, Rows
from detectors.drift.psi import psi

BINS = 8  # that are told of a column
_ERRORS = 2  # standard errors that are taken off a bin


@dataclass(frozen=True)
class BinShare:
    """A bin of a column: its share of rows on either side, and what it contributes more than its share of rows."""

    bin: str
    target: float
    baseline: float
    contribution: float


@dataclass(frozen=True)
class ColumnCause:
    """A column: how much of the change stands in few of its bins, its PSI, the shares of rows without a value now and in the baseline, and the bins that contribute most."""

    column: str
    contribution: float
    psi: float | None
    missing: float
    missing_before: float
    bins: tuple[BinShare, ...]


def columns(every: Sequence[Axis], target: Rows, baseline: Rows, scale: float = 1.0) -> list[ColumnCause]:
    """The columns by contribution, the largest first, in the unit of the mean harm times `scale`.

    A bin contributes the harm of its rows beyond the baseline's mean, less the same of the baseline: these sum to the change whatever the column. What stands in few bins is the sum of what bins
    contribute more than their share of rows, less two standard errors each, so that a column of which every bin is as bad as all rows contributes nothing.
    """
    if not len(target) or not len(baseline):
        return []
    found = [_column(place, axis, target, baseline, scale) for place, axis in enumerate(every)]
    return sorted(found, key=lambda one: (-one.contribution, -(one.psi or 0.0), one.column))


def _column(place: int, axis: Axis, target: Rows, baseline: Rows, scale: float) -> ColumnCause:
    own, before = target.codes[place], baseline.codes[place]
    usual, change = float(baseline.harm.mean()), float(target.harm.mean() - baseline.harm.mean())
    size = len(axis.values)
    (n, now, spread), (m, then, spread_before) = (
        _bins(codes, rows.harm - usual, size) for codes, rows in ((own, target), (before, baseline))
    )
    more = now - then - n * change
    noise = np.sqrt(spread / len(target) + spread_before / len(baseline))
    terms = np.maximum(0.0, more - _ERRORS * noise) * scale
    missing = list(axis.missing)
    told = [at for at in np.argsort(-terms, kind="stable")[:BINS].tolist() if terms[at] > 0]
    found = float(psi(n * len(target), m * len(baseline), np.arange(size)))
    return ColumnCause(
        axis.name,
        float(terms.sum()),
        None if np.isnan(found) else found,
        float(n[missing].sum()),
        float(m[missing].sum()),
        tuple(
            BinShare(
                text.unquote(axis.values[at]) if axis.group is not None else axis.values[at], float(n[at]), float(m[at]), float(terms[at])
            )
            for at in told
        ),
    )


def _bins(codes: Ints, harm: Floats, size: int) -> tuple[Floats, Floats, Floats]:
    """By bin: the share of rows, the mean over all rows of the harm of those in the bin, and its variance."""
    rows = max(1, len(harm))
    share, mean, square = (np.bincount(codes, weights, size) / rows for weights in (None, harm, harm**2))
    return share, mean, square - mean**2
