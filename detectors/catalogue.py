"""What computes each measure: an explicit map from the names in `core.measure`.

Measures work on whole blocks: every leading dimension (windows, segments) at once. NaN means that there is no value; `REASONS` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.block import Floats, Ints
from core.contract import Column
from detectors.accuracy import accuracy
from detectors.f1 import f1
from detectors.js import js
from detectors.mae import mae
from detectors.null_rate import null_rate
from detectors.psi import psi
from detectors.rmse import rmse


@dataclass(frozen=True)
class Binning:
    """A column and, for each of its bins, its group (see `detectors.groups`)."""

    column: Column
    groups: Ints


@dataclass(frozen=True)
class Performance:
    """Sums over labelled rows: n (...); of K classes right, predicted and labelled rows by class (..., K), and the positive one's place; residual sums (...)."""

    n: Floats
    right: Floats | None = None
    predicted: Floats | None = None
    labelled: Floats | None = None
    positive: int | None = None
    absolute_sum: Floats | None = None
    square_sum: Floats | None = None


ColumnMeasure = Callable[[Floats, Floats | None, Binning], Floats]
ModelMeasure = Callable[[Performance], Floats]


def _null_rate(target: Floats, _baseline: Floats | None, binning: Binning) -> Floats:
    return null_rate(target, binning.column)


def _psi(target: Floats, baseline: Floats | None, binning: Binning) -> Floats:
    return _nothing(target) if baseline is None else psi(target, baseline, binning.groups)


def _js(target: Floats, baseline: Floats | None, _binning: Binning) -> Floats:
    return _nothing(target) if baseline is None else js(target, baseline)


def _accuracy(sums: Performance) -> Floats:
    return _nothing(sums.n[..., None]) if sums.right is None or sums.predicted is None else accuracy(sums.right, sums.predicted)


def _f1(sums: Performance) -> Floats:
    if sums.right is None or sums.predicted is None or sums.labelled is None:
        return _nothing(sums.n[..., None])
    return f1(sums.right, sums.predicted, sums.labelled, sums.positive)


def _mae(sums: Performance) -> Floats:
    return _nothing(sums.n[..., None]) if sums.absolute_sum is None else mae(sums.n, sums.absolute_sum)


def _rmse(sums: Performance) -> Floats:
    return _nothing(sums.n[..., None]) if sums.square_sum is None else rmse(sums.n, sums.square_sum)


def _nothing(counts: Floats) -> Floats:
    """No value for any of counts (..., bins)."""
    return np.full(counts.shape[:-1], np.nan)


# Of a column: counts of the target (..., bins), of the baseline (broadcast against them) or None, and the column's bins.
COLUMN: Mapping[str, ColumnMeasure] = MappingProxyType({"quality.null_rate": _null_rate, "drift.psi": _psi, "drift.js": _js})

# Of the whole model, from sums.
MODEL: Mapping[str, ModelMeasure] = MappingProxyType(
    {"performance.accuracy": _accuracy, "performance.f1": _f1, "performance.mae": _mae, "performance.rmse": _rmse}
)

# Of the whole model, from rows: see `detectors.roc_auc`.
ROWS = frozenset({"performance.roc_auc"})

# Why a measure has no value although there are rows.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "quality.null_rate": "no rows",
        "drift.psi": "one side has no rows",
        "drift.js": "one side has no rows",
        "performance.accuracy": "no labelled rows",
        "performance.f1": "the positive class is neither predicted nor a label",
        "performance.roc_auc": "no class has a score both for rows of its own and for others",
        "performance.mae": "no labelled rows",
        "performance.rmse": "no labelled rows",
    }
)
