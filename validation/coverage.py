"""Coverage of every kind of interval: how often the nominal 95 % interval of simulated windows holds the population's value."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.block import Floats, Ints
from core.contract import Column, Kind
from detectors import catalogue, interval
from detectors.drift.js import js
from detectors.evidence import Counts, Moments
from detectors.groups import groups
from detectors.spec import NoParams
from validation import coverage_models
from validation.cell import Cell, bounds, covered
from validation.stream import Generator

GROUPED, BY_BIN = (
    ("drift.psi", "drift.kl"),
    ("drift.js", "drift.hellinger", "drift.chi2", "drift.total_variation", "drift.linf", "drift.ks"),
)
_NO_PARAMS = NoParams()


def cells(rng: Generator, draws: int) -> Iterator[Cell]:
    """The grid of every kind of interval."""
    yield from _wilson(rng, draws)
    yield from _dispersed(rng, draws)
    yield from _distances(rng, draws)
    yield from _means(rng, draws)
    yield from coverage_models.cells(rng, draws)


def _wilson(rng: Generator, draws: int) -> Iterator[Cell]:
    for n in (50, 200, 1_000, 100_000):
        for rate in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.99):
            found = interval.wilson(rng.binomial(n, rate, draws) / n, np.array(float(n)))
            yield Cell("rates (Wilson)", f"n {n:,}, rate {rate}", covered(found, rate), counts=min(rate, 1 - rate) * n >= 5)


def _dispersed(rng: Generator, draws: int) -> Iterator[Cell]:
    """Rates that differ from window to window, so that rows are worth less: the interval is that of n / phi rows, where phi is known."""
    for n, rate, phi in ((1_000, 0.1, 5.0), (1_000, 0.3, 20.0), (10_000, 0.05, 10.0), (10_000, 0.3, 50.0)):
        size = (n - phi) / (phi - 1)  # of the beta law: then n rows have phi times the variance of independent ones
        found = rng.binomial(n, rng.beta(rate * size, (1 - rate) * size, draws)) / n
        yield Cell(
            "rates (Wilson), dependent rows",
            f"n {n:,}, rate {rate}, phi {phi:g}",
            covered(interval.wilson(found, np.array(n / phi)), rate),
        )


def _shares(shape: str, bins: int) -> Floats:
    weights = np.ones(bins) if shape == "equal" else 1 / np.arange(1, bins + 1)
    return np.asarray(weights / weights.sum())


def _moved(q: Floats, by: float) -> Floats:
    """Shares that are tilted: those of the first half of the bins rise, the others fall."""
    p = q * np.exp(by * np.linspace(1, -1, len(q)))
    return np.asarray(p / p.sum())


def _distances(rng: Generator, draws: int) -> Iterator[Cell]:
    for bins, shape, n, m, by in (
        (bins, shape, n, m, by)
        for bins in (5, 10, 50)
        for shape in ("equal", "1/k")
        for n, m in ((300, 3_000), (1_000, 10_000), (10_000, 10_000), (100_000, 1_000_000))
        for by in (0.0, 0.05, 0.15, 0.5)
    ):
        q = _shares(shape, bins)
        p, where = _moved(q, by), f"{bins} bins {shape}, n {n:,}, m {m:,}, tilt {by}"
        # The first edge to the last: value bins of a numeric column, and none null or invalid.
        column = Column(name="x", kind=Kind.NUMERIC, edges=tuple(range(1, bins)))
        c, r = (
            np.concatenate([rng.multinomial(size, shares, draws), np.zeros((draws, 2), np.int64)], axis=1)
            for size, shares in ((n, p), (m, q))
        )
        own = np.arange(bins + 2) if bins <= 10 else groups(column, np.append(q * 1e9, [0, 0]))
        target, baseline = (Counts(side.astype(np.float64), column, own) for side in (c, r))
        for name in (*GROUPED, *BY_BIN):
            result = catalogue.spec(name).compute(target, baseline, _NO_PARAMS)
            if result.interval is not None and not np.isnan(result.value).any():
                yield Cell(
                    name, where, covered(bounds(result), _truth(name, (p, q), (n, m), own)), counts=min(n * p.min(), m * q.min()) >= 5
                )


def _truth(name: str, shares: tuple[Floats, Floats], sizes: tuple[int, int], own: Ints) -> float:
    """The population's value."""
    (p, q), (n, m) = shares, sizes
    if name in GROUPED:
        p, q = (np.asarray(np.bincount(own[: len(side)], side), np.float64) for side in (p, q))
        p, q = p[q > 0], q[q > 0]
    terms: dict[str, Callable[[], float]] = {
        "drift.psi": lambda: float(((p - q) * np.log(p / q)).sum()),
        "drift.kl": lambda: float((p * np.log(p / q)).sum()),
        "drift.js": lambda: float(js(p, q)),
        "drift.hellinger": lambda: float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)),
        "drift.chi2": lambda: float(np.sqrt(n * m / (n + m) * ((p - q) ** 2 / (n * p + m * q)).sum())),
        "drift.total_variation": lambda: float(np.abs(p - q).sum() / 2),
        "drift.linf": lambda: float(np.abs(p - q).max()),
        "drift.ks": lambda: float(np.abs(np.cumsum(p - q)).max()),
    }
    return terms[name]()


def _means(rng: Generator, draws: int) -> Iterator[Cell]:
    spec = catalogue.spec("drift.mean_shift")
    for law, n, m, by in (
        (law, n, m, by)
        for law in ("normal", "lognormal")
        for n, m in ((300, 3_000), (1_000, 10_000), (10_000, 10_000))
        for by in (0.0, 0.1, 0.5)
    ):
        deviation = 1.0 if law == "normal" else float(np.sqrt(np.e * (np.e - 1)))
        x, y = (rng.normal(size=(draws // 4, size)) for size in (n, m))
        x, y = (x, y) if law == "normal" else (np.exp(x), np.exp(y))
        column = Column(name="x", kind=Kind.NUMERIC, edges=(0.0,), spread=(1.0, deviation))
        target, baseline = (_moments(side, column) for side in (x + by * deviation, y))
        yield Cell(
            "drift.mean_shift",
            f"{law}, n {n:,}, m {m:,}, shift {by} sd",
            covered(bounds(spec.compute(target, baseline, _NO_PARAMS)), by),
        )


def _moments(x: Floats, column: Column) -> Moments:
    """The moments of samples (samples, rows)."""
    n, zero = np.full(len(x), float(x.shape[1])), np.zeros(len(x))
    return Moments(n, n, n, x.sum(1), (x**2).sum(1), np.abs(x).sum(1), x.min(1), x.max(1), zero, column=column)
