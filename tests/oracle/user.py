"""User measures: what their expressions give, written again with numpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle import dispersion
from tests.oracle.found import Asked, Found, Lookup, beside
from tests.oracle.rows import Rows

Amounts = npt.NDArray[np.float64]


def lookup(asked: Asked) -> Lookup:
    """The mean of the expression over labelled rows, and that of the reference or of an earlier window."""
    monitor, _, _, _, grouping, _, every, basis = asked
    measured = monitor["measure"]

    @cache
    def phi(segment: str) -> float:
        return dispersion.phi(dispersion.statistics(monitor, "", basis(), grouping, segment))

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        held = rows.members(grouping, span, every if span else 0, True).get(place, np.zeros(0, np.int64))
        given = amounts(measured, rows)[held]
        given = given[np.isfinite(given)]
        many = phi(place[1])
        if not len(given):
            return Found(None, len(held), worth=len(held) / many)
        value, n = float(np.mean(given)), len(given) / many
        if len(given) < 2 or n <= 1:
            return Found(value, len(held), worth=len(held) / many)
        half = 0.0 if np.ptp(given) == 0 else float(stats.t.ppf(0.975, n - 1)) * math.sqrt(float(np.var(given, ddof=1)) / n)
        return Found(value, len(held), value - half, value + half, len(held) / many)

    return beside(asked, found)


def statistic(measure: str, rows: Rows, target: npt.NDArray[np.int64], rest: npt.NDArray[np.int64]) -> float | None:
    """The square of Welch's t of two means; None without two rows on a side."""
    given = amounts(measure, rows)
    sides = [given[one][np.isfinite(given[one])] for one in (target, rest)]
    if min(len(one) for one in sides) < 2:
        return None
    if not any(np.ptp(one) for one in sides):
        return 0.0 if sides[0][0] == sides[1][0] else None
    return float(stats.ttest_ind(*sides, equal_var=False).statistic ** 2)


def amounts(measure: str, rows: Rows) -> Amounts:
    """The amount of each row, NaN where it has none or where it has no label."""
    found: Amounts = rows.once(measure, lambda: np.where(rows.labelled, _OF[measure](rows), np.nan))
    return found


def _cost(rows: Rows) -> Amounts:
    """A miss costs 100, except that of a master, which costs half of the hours; all else costs 5. Unknown hours make a cost unknown, and so does an unknown education."""
    outcomes, hours, education = rows.outcomes(), _finite(rows, "hours"), rows.values("education")
    missed = (outcomes.label == "1") & (outcomes.prediction == "0")
    known = ~np.isin(education, ["null", "invalid"])
    return np.where(missed, np.where(known, np.where(education == "master", hours / 2, 100.0), np.nan), 5.0)


def _finite(rows: Rows, column: str) -> Amounts:
    values = rows.values(column)
    return np.where(np.isfinite(values), values, np.nan)


def _overrun(rows: Rows) -> Amounts:
    """The absolute error; where it is above 15 and the temperature is known, a hundredth of the distance, which counts as 500 at least."""
    outcomes, distance = rows.outcomes(), _finite(rows, "distance")
    error = np.abs(np.asarray(outcomes.prediction, float) - np.asarray(outcomes.label, float))
    return np.where((error > 15) & ~np.isnan(_finite(rows, "temp")), np.maximum(distance, 500) / 100, error)


_OF: Mapping[str, Callable[[Rows], Amounts]] = {"user.cost": _cost, "user.overrun": _overrun}
MEASURES = (*_OF,)
