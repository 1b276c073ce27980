"""How sure a model is, and how rightly, from the rows of one place (docs/measures.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle import promise, reliability
from tests.oracle.column import wilson, z_squared
from tests.oracle.rows import Rows
from tests.oracle.sample import Value
from tests.oracle.value import numbers, text

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64] | Flags

_MEANS = {
    "uncertainty.confidence": "@confidence",
    "uncertainty.entropy": "@entropy",
    "uncertainty.margin": "@margin",
    "uncertainty.interval_width": "@interval_width",
    "uncertainty.set_size": "@set_size",
    "uncertainty.ensemble_variance": "@ensemble_std",
}
COVERAGES = ("uncertainty.interval_coverage", "uncertainty.set_coverage")
LABELLED = (*COVERAGES, *reliability.MEASURES, *promise.LOSSES, promise.BETS)  # whose rows are the labelled ones
MEASURES = (*_MEANS, *LABELLED)
TESTED = tuple(name for name in (*_MEANS, *COVERAGES) if name != "uncertainty.ensemble_variance")


def of(measure: str, rows: Rows, held: npt.NDArray[np.int64], whole: Rows, phi: float, params: Mapping[str, Any]) -> tuple[Value, int]:
    """The value over the rows that are held, of which `phi` are worth an independent one, and how many count; `whole` is the reference."""
    if measure in reliability.MEASURES:
        value, n = reliability.of(measure, rows, held, whole.contract.once("edges", lambda: reliability.edges(whole.contract)))
        return Value(value), n
    if measure in _MEANS:
        values = _numbers(measure, rows)[held]
        return _mean(measure, values, phi), int(np.isfinite(values).sum()) or len(held)
    if measure in promise.LOSSES:
        found, many = promise.of(measure, rows, held, params)
        return found, many or len(held)
    inside, n = covers(rows, held)
    return _covered(inside, n, phi), n or len(held)


def statistic(measure: str, rows: Rows, target: Places, rest: Places) -> float | None:
    """What is chi-square of one degree where nothing moved: the square of Welch's t of two means, or of z of two rates."""
    if measure in COVERAGES:
        (inside, n), (other, m) = covers(rows, target), covers(rows, rest)
        return z_squared(inside, n, other, m) if n and m else None
    values = _numbers(measure, rows)
    sides = [values[one][np.isfinite(values[one])] for one in (target, rest)]
    if min(len(one) for one in sides) < 2:
        return None
    if not any(np.ptp(one) for one in sides):
        return 0.0 if sides[0][0] == sides[1][0] else None
    return float(stats.ttest_ind(*sides, equal_var=False).statistic ** 2)


def _numbers(measure: str, rows: Rows) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = rows.once(measure, lambda: rows.values(_MEANS[measure]))
    return found


def _mean(measure: str, values: npt.NDArray[np.float64], phi: float) -> Value:
    x = values[np.isfinite(values)]
    if not len(x):
        return Value(None)
    if measure == "uncertainty.ensemble_variance":
        return Value(float(np.mean(x**2)))
    n, value = len(x) / phi, float(np.mean(x))
    if len(x) < 2 or n <= 1:
        return Value(value)
    half = 0.0 if np.ptp(x) == 0 else float(stats.t.ppf(0.975, n - 1)) * math.sqrt(float(np.var(x, ddof=1)) / n)
    return Value(value, value - half, value + half)


def covers(rows: Rows, held: Places) -> tuple[int, int]:
    """Of the labelled rows that are held and have an interval or a set, those whose label is in it; and how many they are."""
    inside = rows.once("inside", lambda: _inside(rows))[held]
    labelled = rows.labelled[held]
    known = labelled & ~np.isnan(inside)
    return int(inside[known].sum()), int(known.sum())


def _covered(inside: int, n: int, phi: float) -> Value:
    return Value(inside / n, *wilson(inside / phi, n / phi)) if n else Value(None)


def _inside(rows: Rows) -> npt.NDArray[np.float64]:
    """1 where the label is in the interval or the set, 0 where not, NaN where there is none."""
    spec, frame = rows.spec, rows.frame
    if spec.regression:
        lower, upper, label = (numbers(frame[name]) for name in (*spec.interval[:2], spec.label))
        good = np.isfinite(lower) & np.isfinite(upper) & (lower <= upper)
        return np.where(good, (lower <= label) & (label <= upper), np.nan)
    binary = spec.task == "binary"
    pairs = zip(frame[spec.prediction_set], frame[spec.label], strict=True)
    return np.array(
        [
            np.nan if members is None else text(label, binary=binary) in {text(one, binary=binary) for one in members}
            for members, label in pairs
        ],
        np.float64,
    )
