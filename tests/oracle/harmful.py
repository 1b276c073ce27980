"""Harmful change of the errors of labelled rows (docs/measures.md). Plainly, start by start: no recursion, and no logarithms but that of the starts' parts."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from tests.oracle.found import NOTHING, Asked, Found, Lookup
from tests.oracle.rows import Rows
from tests.oracle.spec import duration

MEASURES = ("change.harmful",)
_HOUR, _DAY = 3_600_000_000, 86_400_000_000


def lookup(asked: Asked) -> Lookup:
    """What the bets of a window and of those before it are worth, over 2 / alpha."""
    monitor, _, whole, live, grouping, length, _, _ = asked
    params = dict(monitor.get("params", {}))
    alpha = params.get("alpha", 0.05) / sum(len(set(whole.segments[one])) for one in _groupings(monitor, whole))

    @cache
    def found(segment: str) -> dict[int, Found]:
        bound = bound_of(*_of(whole, whole.labelled & (whole.segments[grouping] == segment)), length, params, alpha)
        in_time = live.times + live.delays <= live.times // _HOUR * _HOUR + _HOUR + duration(params.get("wait", "7d"))
        wrong, times = _of(live, live.labelled & in_time & (live.segments[grouping] == segment))
        first, last = int(live.times.min()) // length * length, int(live.times.max())
        days = [wrong[(start <= times) & (times < start + length)] for start in range(first, last + 1, length)]
        return {first + place * length: one for place, one in enumerate(worth(days, bound, alpha))}

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        there = segment in set(whole.segments[grouping])
        one = found(segment).get(start, NOTHING)
        return (one if there else one._replace(value=None)), None

    return find


def _groupings(monitor: Any, whole: Rows) -> list[tuple[str, ...]]:
    return [one for one in whole.segments if not one or "*".join(one) in (monitor.get("segments") or ["all"])]


def _of(rows: Rows, held: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    outcomes = rows.outcomes()
    return (outcomes.prediction != outcomes.label)[held].astype(float), rows.times[held]


def bound_of(wrong: npt.NDArray[np.float64], times: npt.NDArray[np.int64], length: int, params: dict[str, Any], alpha: float) -> float:
    """The highest risk that is no harm."""
    if "risk" in params:
        return float(params["risk"])
    n, mean = len(wrong), wrong.mean()
    days = [wrong[times // length == day] for day in np.unique(times // length)]
    within = sum(((day - day.mean()) ** 2).sum() for day in days) / (n - len(days))
    q = sum(len(day) * (day.mean() - mean) ** 2 for day in days)
    between = max(0.0, (q - (len(days) - 1) * within) / (n - sum(len(day) ** 2 for day in days) / n)) if len(days) > 1 else 0.0
    upper = beta.ppf(1 - alpha / 2, wrong.sum() + 1, n - wrong.sum())
    return float(max(upper, mean + max(params.get("tolerance", 0.02), 2 * between**0.5)))


def worth(days: list[npt.NDArray[np.float64]], bound: float, alpha: float) -> list[Found]:
    found = []
    for last, today in enumerate(days):
        total = 0.0
        for first in range(last + 1):
            if not len(days[first]):
                continue
            rows = np.concatenate(days[first : last + 1])
            bets = [np.prod(1 + min(bet, 0.5 / bound) * (rows - bound)) for bet in (0.1, 0.25, 0.5, 1, 2)]
            total += float(np.mean(bets)) / ((first + 1) * (first + 2))
        found.append(Found(min(total * alpha / 2, 1e6), len(today)) if len(today) else NOTHING)
    return found
