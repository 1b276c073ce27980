"""How much each row adds to a measure of how a model serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.block import Categories, Floats
from detectors.cause.rows import Flags
from detectors.cause.way import Way
from detectors.summary.signal import STATUSES

_LATENCY, _STATUS = "@latency_ms", "@status"
_QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
_OF_STATUS = ("error_rate", "availability", "burn_rate")
Held = Mapping[str, Categories | Floats]
"""The values of rows by column (n,)."""


def harm(measure: str, target: Held, baseline: Held) -> tuple[list[Floats], Way | None]:
    """The harm of the rows of either side, NaN where they do not count, and how it becomes the measure; no way without the signal that it is made of, and for measures that count events.

    Of a latency it is 1 where a row took longer than the baseline's quantile, of errors where the status is `error`.
    """
    name = measure.partition(".")[2]
    if name in _QUANTILES and all(_LATENCY in side for side in (target, baseline)):
        return _of_latency(_QUANTILES[name], *(np.asarray(side[_LATENCY], np.float64) for side in (target, baseline)))
    if name not in _OF_STATUS or not all(_STATUS in side for side in (target, baseline)):
        return [], None
    found = [_errors(side[_STATUS]) for side in (target, baseline)]
    value = (lambda mean: np.asarray(1.0 - mean)) if name == "availability" else np.asarray
    return found, Way(value, shared=True, exact=name != "burn_rate")


def _errors(values: Any) -> Floats:
    ok, error = STATUSES
    known = {ok: 0.0, error: 1.0}
    table = np.array([known.get(one, np.nan) for one in values.texts], np.float64)
    return table[values.codes] if len(table) else np.full(len(values.codes), np.nan)


def _of_latency(q: float, target: Floats, baseline: Floats) -> tuple[list[Floats], Way | None]:
    sides = [one[np.isfinite(one)] for one in (target, baseline)]
    if not all(len(one) for one in sides):
        return [], None
    cut = np.quantile(sides[1], q, method="inverted_cdf")

    def of_slice(own: Flags, before: Flags) -> tuple[float, float]:
        found = [one[where] for one, where in zip(sides, (own, before), strict=True)]
        low, high = (float(np.quantile(one, q, method="inverted_cdf")) if len(one) else np.nan for one in found)
        return low, high

    return [np.where(np.isfinite(one), one > cut, np.nan) for one in (target, baseline)], Way(shared=True, exact=False, of_slice=of_slice)
