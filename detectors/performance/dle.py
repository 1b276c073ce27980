"""Boosted trees that learn from the labelled rows of a reference how large an error is to expect for a row: direct loss estimation (DLE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from core.block import Floats, Ints
from core.error import ConfigError
from detectors.sample import FOLDS, Shared

_SEED = 1
_KEPT = 4  # learned references


class Expected(NamedTuple):
    """The error to expect for each row by the trees of each fold (`FOLDS`, rows); and by how much errors differ from those expected in the reference, as the mean square over that of what is expected."""

    each: Floats
    relative: float


@dataclass(frozen=True)
class Known(Shared):
    """Rows of a reference whose errors are known: x (rows, columns), NaN for a missing value; error (rows,), not below 0; fold (rows,), each in [0, `FOLDS`)."""

    x: Floats = field(compare=False)
    error: Floats = field(compare=False)
    fold: Ints = field(compare=False)


def known(x: Floats, error: Floats, fold: Ints) -> Known:
    """These rows."""
    digest = blake2b(b"".join([repr(x.shape).encode(), x.tobytes(), error.tobytes(), fold.tobytes()])).digest()
    return Known(digest, x, error, fold)


def expected(rows: Known, x: Floats) -> Expected:
    """The error to expect for rows x (n, columns), as scikit-learn's histogram gradient boosting has learned it from the errors of rows of the reference.

    The trees of a fold are those of the rows of all other folds; together they tell how much an estimate depends on which rows the reference has, and of each row of
    the reference what is expected of it by trees that have not seen it. Errors are divided by their mean first, since scikit-learn's gradients have single precision. What is expected is never below 0. A
    column without a value in the rows of training tells nothing. It runs on one core, which also makes it the same each time, and is learned again from the rows whenever
    it is not in memory. Raises ConfigError where scikit-learn is not installed.

    Source: NannyML's DLE; `sklearn.ensemble.HistGradientBoostingRegressor`.
    """
    learned = _learned(rows)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"), np.errstate(over="ignore", invalid="ignore"):
        return Expected(np.stack([one(x) for one in learned.folds]), learned.relative)


class _Fold(NamedTuple):
    """Trees, the columns that had no value, and the mean error by which errors were divided."""

    trees: Any
    blank: Any
    scale: float

    def __call__(self, x: Floats) -> Floats:
        """The error to expect for rows (n, columns): (n,)."""
        if not len(x):
            return np.zeros(0)
        return np.asarray(np.maximum(self.trees.predict(np.where(self.blank, 0.0, x)), 0.0) * self.scale, np.float64)


class _Learned(NamedTuple):
    folds: tuple[_Fold, ...]
    relative: float


@lru_cache(_KEPT)
def _learned(rows: Known) -> _Learned:
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ConfigError(
            f"estimates of errors need scikit-learn, which cannot be imported: {error}",
            remedy="install `watchkeeper[server]`, or delete the monitor",
        ) from error
    found, out = list[_Fold](), np.zeros(len(rows.error))
    with threadpool_limits(1, "openmp"), np.errstate(over="ignore", invalid="ignore"):
        scale = float(rows.error.mean()) or 1.0
        for held in range(FOLDS):
            own = rows.fold == held
            blank = np.isnan(rows.x[~own]).all(0)  # scikit-learn refuses a column without any value
            trees = HistGradientBoostingRegressor(early_stopping=False, random_state=_SEED)
            trees.fit(np.where(blank, 0.0, rows.x[~own]), rows.error[~own] / scale)
            found.append(_Fold(trees, blank, scale))
            out[own] = found[-1](rows.x[own])
        below, beyond = float((out / scale) @ (out / scale)), (rows.error - out) / scale
    return _Learned(tuple(found), float(beyond @ beyond) / below if below else 0.0)
