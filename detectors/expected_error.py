"""The evidence of estimates of errors: what is expected for rows, by trees that have learned from the reference, and what labels there are of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from core.block import Floats
from detectors.sample import FOLDS

_CELLS = 2_000_000  # rows x segments that are multiplied at a time
LEAST_KNOWN = 200  # labelled rows of the reference without which nothing is learned


def sums_of(values: Floats, members: npt.NDArray[np.bool_]) -> Floats:
    """The sums of numbers of rows (k, rows) in the segments that rows are in (rows, segments): (k, segments). Some segments at a time, since a product needs their members as numbers."""
    size = max(1, _CELLS // max(1, len(members)))
    parts = [values @ members[:, low : low + size].astype(np.float64) for low in range(0, members.shape[1], size)]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(values), 0))


@dataclass(frozen=True)
class RowErrors:
    """The errors that are expected for some rows: how many rows (...), the mean by the trees of each fold (..., `FOLDS`), the mean over these (...), and its mean square over rows (...)."""

    rows: Floats
    each: Floats
    mean: Floats
    square: Floats

    @classmethod
    def of(cls, each: Floats, members: npt.NDArray[np.bool_]) -> Self:
        """Of rows with these expected errors (folds, rows), by the segments that they are in (rows, segments), as one window."""
        mean = each.mean(0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            sums, rows = sums_of(np.vstack([each, mean, mean**2]), members), members.sum(0).astype(np.float64)
            per_row = sums / rows
        return cls(rows[None], per_row[:-2].T[None], per_row[-2][None], per_row[-1][None])

    @classmethod
    def nothing(cls, shape: tuple[int, ...]) -> Self:
        """No rows."""
        none = np.full(shape, np.nan)
        return cls(np.zeros(shape), np.full((*shape, FOLDS), np.nan), none, none)


@dataclass(frozen=True)
class ExpectedErrors:
    """The errors that are expected for the rows of windows.

    n (...) counts all rows, `sampled` are those of the sample, `labelled` those among them whose labels have come, and `realised` (...) is the mean of their errors. `relative` is the mean square by which
    errors of the reference differ from those expected, over the mean square of these. `outside` gives, for `features` and `predictions`, the rows of the sample (...) that lie
    where the reference has none, and the share of them to expect if nothing has moved. `learned` is how many rows of the reference the trees have learned from, 0 if too few are
    there; `gone` (...): raw events are not there any more; `exact`: all errors of these rows of the reference are 0, which tells nothing of others. `earlier` are the windows before, the next one first.
    """

    n: Floats
    sampled: RowErrors
    labelled: RowErrors
    realised: Floats
    relative: float
    outside: Mapping[str, tuple[Floats, float]]
    learned: int
    gone: npt.NDArray[np.bool_]
    earlier: tuple[ExpectedErrors, ...] = ()
    exact: bool = False

    empty: ClassVar[str] = "no predictions"


@dataclass(frozen=True)
class AbsoluteErrors(ExpectedErrors):
    """Of |prediction - label|."""


@dataclass(frozen=True)
class SquaredErrors(ExpectedErrors):
    """Of (prediction - label)^2."""
