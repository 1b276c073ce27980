"""How a model serves, from the rows of one place: latencies, statuses, traffic (docs/measures.md). Plainly, row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.column import wilson
from tests.oracle.found import Asked, Found, Lookup, beside
from tests.oracle.rows import Rows
from tests.oracle.signal import LATENCY
from tests.oracle.spec import duration

QUANTILES = {"service.latency_p50": 0.5, "service.latency_p95": 0.95, "service.latency_p99": 0.99}
THROUGHPUT, BURN = "service.throughput", "service.burn_rate"
MEASURES = (*QUANTILES, THROUGHPUT, BURN, "service.error_rate", "service.availability")
_SECOND = 1_000_000


def lookup(asked: Asked) -> Lookup:
    """How the model served in a window, and in the reference or in an earlier window."""
    monitor, _, _, _, grouping, _, every, _ = asked
    measured, params = monitor["measure"], monitor.get("params", {})

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        held = rows.members(grouping, span, every if span else 0, False).get(place, np.zeros(0, np.int64))
        if measured == THROUGHPUT:
            return Found(len(held) / (span / _SECOND) if span else None, len(held))
        if measured in QUANTILES:
            return _latency(rows.values("@latency_ms")[held], QUANTILES[measured])
        if measured == BURN:
            return _burned(rows, held, place[0] + span, params)
        error, ok = (int((rows.values("@status")[held] == name).sum()) for name in ("error", "ok"))
        counted, n = ok if measured == "service.availability" else error, ok + error
        return Found(counted / n, n, *wilson(counted, n)) if n else Found(None, len(held))

    return beside(asked, found)


def _latency(values: npt.NDArray[np.float64], q: float) -> Found:
    """Each latency is what its bucket says of it: the value as far from the one end of the bucket as from the other, in parts of itself."""
    x = np.sort(values[np.isfinite(values)])
    if not len(x):
        return Found(None, len(values))
    place = np.searchsorted(LATENCY, x, side="right")
    low = np.maximum(np.concatenate([[-np.inf], LATENCY])[place], x[0])
    high = np.minimum(np.concatenate([LATENCY, [np.inf]])[place], x[-1])
    value = float(np.quantile(2 * low * high / (low + high), q))
    half = 1.959963984540054 * math.sqrt(q * (1 - q) * len(x))
    least, most = math.floor(q * len(x) - half - 0.5), math.ceil(q * len(x) + half - 0.5)
    if least < 0 or most >= len(x):
        return Found(value, len(x))
    return Found(value, len(x), min(float(low[least]), value), max(float(high[most]), value))


def _burned(rows: Rows, held: npt.NDArray[np.int64], end: int, params: Mapping[str, Any]) -> Found:
    """The error budget that is used, as a multiple of what may be; of the window, and of its last part if that is less."""
    status, rates = rows.values("@status"), []
    if not len(held) or not np.isin(status[held], ("ok", "error")).any():
        return Found(None, len(held))
    for short in (None, params.get("short")):
        part = status[held if short is None else held[rows.times[held] >= end - duration(short)]]
        bad, n = int((part == "error").sum()), int(np.isin(part, ("ok", "error")).sum())
        rates.append((bad / n if n else 0.0) / (1 - params.get("objective", 0.999)))
    return Found(min(rates), int(np.isin(status[held], ("ok", "error")).sum()))
