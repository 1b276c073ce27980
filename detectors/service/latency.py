"""Latency: quantiles of the time that predictions take, from logarithmic buckets."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.measure import Measure
from detectors.certainty import having
from detectors.interval import Z
from detectors.serving import LATENCY, Latencies
from detectors.spec import NoParams, Places, Result, Spec, estimable

ERROR = 0.0101  # relative: half of what a bucket spans
_SMALL = 0.01  # ms: below, all latencies are one bucket
NONE = f"no prediction has `{LATENCY}`"
NO_SIGNAL = f"the contract has no signal `{LATENCY}`"
COARSE = f"the bins of `{LATENCY}` are too coarse here, or a latency is above an hour: declare the signal without `range` and `edges`"


def _at(held: Latencies, rank: Floats) -> tuple[Floats, Floats]:
    """The least and the largest latency that the one of a rank (..., counted from 0) can be: (...) each."""
    edges = np.asarray(held.column.edges if held.column else (), np.float64)
    values = held.counts[..., : len(edges) + 1]
    place = np.minimum((np.cumsum(values, -1) <= rank[..., None]).sum(-1), len(edges))
    least, most = np.concatenate([[-np.inf], edges]), np.concatenate([edges, [np.inf]])
    return np.maximum(least[place], held.low), np.minimum(most[place], held.high)


def _middle(low: Floats, high: Floats) -> Floats:
    """The value that is relatively as far from one bound as from the other: (...)."""
    return np.asarray(np.divide(2 * low * high, low + high, out=np.zeros_like(high), where=low + high > 0))


def quantile(held: Latencies, q: float) -> tuple[Floats, Floats]:
    """A quantile of latencies in ms, interpolated as numpy and pandas do, and by which part of itself it may be wrong: (...) each; NaN without latencies.

    A latency is somewhere in its bucket, whose ends are 1.01 / 0.99 apart: the harmonic mean of the ends is at most 1 % from it.
    """
    n = held.measured
    with np.errstate(invalid="ignore", over="ignore"):
        place = np.maximum(n - 1, 0) * q
        sides = [_at(held, np.floor(place)), _at(held, np.minimum(np.floor(place) + 1, np.maximum(n - 1, 0)))]
        first, second = (_middle(*side) for side in sides)
        wrong = [np.divide(high - low, high + low, out=np.zeros_like(high), where=high > _SMALL) for low, high in sides]
        value = first + (place - np.floor(place)) * (second - first)
    return np.where(n > 0, value, np.nan), np.maximum(*wrong)


def _ranks(n: Floats, q: float, phi: Floats) -> tuple[Floats, Floats]:
    """The ranks (...), counted from 0, between which the population's quantile lies in 95 % of samples, by the normal law of how many are below it (Woodruff 1952)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        half = Z * np.sqrt(q * (1 - q) * n * phi)
    return np.floor(n * q - half - 0.5), np.ceil(n * q + half - 0.5)


def _spec(name: str, q: float) -> Spec[Latencies, NoParams]:
    def compute(target: Latencies, _baseline: Latencies | None, _params: NoParams) -> Result:
        shape = target.n.shape
        if target.column is None:
            return Result(np.full(shape, np.nan), np.full(shape, NO_SIGNAL, object))
        found, wrong = quantile(target, q)
        n = target.measured
        value, why = estimable(found, (n == 0, NONE), (wrong > ERROR, COARSE))

        def interval(phi: Floats) -> tuple[Floats, Floats]:
            lower, upper = _ranks(n, q, phi)
            known = (lower >= 0) & (upper <= n - 1)
            bounds = _at(target, np.maximum(lower, 0))[0], _at(target, np.minimum(upper, n - 1))[1]
            least, most = (np.where(known, one, np.nan) for one in bounds)
            return np.minimum(least, value), np.maximum(most, value)

        def evidence(places: Places) -> list[dict[str, Any]]:
            return [
                {"measured": int(rows), "largest": most}
                for rows, most in zip(n[places].tolist(), target.high[places].tolist(), strict=True)
            ]

        return Result(value, why, interval, evidence=evidence)

    about = Measure(
        name=f"service.{name}",
        title=f"Latency p{round(100 * q)}",
        formula=f"the {round(100 * q)} % quantile of latency_ms",
        unit="ms",
        better=-1,
    )
    return Spec(about=about, evidence=Latencies, compute=compute, no_value=NONE, counted=lambda side: having(side.measured, side.n))


SPECS = (_spec("latency_p50", 0.5), _spec("latency_p95", 0.95), _spec("latency_p99", 0.99))
