"""Vector columns, their statistics, and `drift.embedding`, from all rows at once (docs/measures.md#driftembedding, docs/signals.md#vectors)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.spatial.distance import cdist, pdist

from tests.oracle.value import INVALID, NULL

Numbers = npt.NDArray[np.float64]
Statistics = tuple[float | None, float | None, float | None, float | None, float]


def states(vectors: Numbers, null: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Whether each row is a vector, null or invalid."""
    return np.where(null, NULL, np.where(np.isfinite(vectors).all(1), "vector", INVALID)).astype(object)


def vectors(column: pd.Series, size: int) -> Numbers:
    """The vectors (rows, size) as Float32; a row that is none is infinite."""
    return np.array([_vector(value, size) for value in column], np.float32).reshape(len(column), size).astype(np.float64)


def _vector(value: Any, size: int) -> Sequence[float]:
    largest = float(np.finfo(np.float32).max)
    good = isinstance(value, list | np.ndarray) and len(value) == size and all(isinstance(one, float | int | np.floating) for one in value)
    return list(value) if good and all(abs(one) <= largest for one in value) else [np.inf] * size


class Profile:
    """What the reference's vectors tell."""

    def __init__(self, reference: Numbers) -> None:
        good = reference[np.isfinite(reference).all(1)]
        chosen = good[np.argsort(np.random.PCG64(1).random_raw(len(good)), kind="stable")[:5_000]]
        self.signs = None
        if reference.shape[1] > 64:
            words = np.asarray(np.random.PCG64(1).random_raw(reference.shape[1]), "<u8")
            self.signs = np.where(np.unpackbits(words.view(np.uint8)).reshape(-1, 64) == 1, 0.125, -0.125)
        plain = self._projected(chosen)
        self.center, self.scale = plain.mean(0), np.sqrt(plain.var(0).mean())
        z = self.coordinates(chosen)
        raw = np.random.PCG64(2).random_raw(z.shape[1] * 128)
        normal = stats.norm.ppf(((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53).reshape(-1, 128)
        self.frequencies = normal / (2 * np.pi * np.sqrt(np.median(pdist(z[:1_000], "sqeuclidean"))))
        self.sample = z[:200]
        self.degrees = _degrees(self.features(z)), _degrees(z)
        about = [self.statistic(chosen, name) for name in ("norm", "nearest")]
        self.usual = [(one.mean(), max(one.std(), one.mean() / 1_000)) for one in about]

    def _projected(self, rows: Numbers) -> Numbers:
        return rows if self.signs is None else rows @ self.signs

    def coordinates(self, rows: Numbers) -> Numbers:
        """The rounded coordinates of rows."""
        found: Numbers = np.rint(np.clip((self._projected(rows) - self.center) / self.scale, -1_024, 1_024) * 1_024) / 1_024
        return found

    def features(self, z: Numbers) -> Numbers:
        """The random Fourier features of coordinates, each row of length 1."""
        phase = z @ self.frequencies
        angles = (2 * np.pi * (phase - np.rint(phase))).astype(np.float32)
        waves = np.rint(np.hstack([np.cos(angles), np.sin(angles)]) * np.float32(16_384))
        found: Numbers = np.asarray(waves, np.float64) / (16_384 * np.sqrt(128))
        return found

    def statistic(self, rows: Numbers, name: str) -> Numbers:
        """The length of rows, or their distance to the nearest other vector of the sample, to 5 digits."""
        if name == "norm":
            return np.array([float(f"{one:.5g}") for one in np.sqrt((rows**2).sum(1))], np.float64)
        apart = cdist(self.coordinates(rows), self.sample)
        return np.array([float(f"{one:.5g}") for one in np.where(apart > 0, apart, np.inf).min(1) * self.scale], np.float64)


_PROFILES: dict[int, tuple[Numbers, Profile]] = {}


def profile(reference: Numbers) -> Profile:
    """The profile of a reference, made once."""
    if id(reference) not in _PROFILES:
        _PROFILES[id(reference)] = (reference, Profile(reference))
    return _PROFILES[id(reference)][1]


def embedding(target: Numbers, baseline: Numbers, reference: Numbers, params: dict[str, Any], phi: float) -> Statistics:
    """The value, its interval, the statistic over its degrees of freedom, and these."""
    known, of = profile(reference), params.get("of", "mmd")
    x, y = (rows[np.isfinite(rows).all(1)] for rows in (target, baseline))
    if min(len(x), len(y)) < 2:
        return None, None, None, None, 0
    if of in {"norm_shift", "nearest_reference"}:
        mean, deviation = known.usual[0 if of == "norm_shift" else 1]
        name = "norm" if of == "norm_shift" else "nearest"
        a, b = (np.rint(np.clip((known.statistic(rows, name) - mean) / deviation, -64, 64) * 1_024) / 1_024 for rows in (x, y))
        value, error = float(a.mean() - b.mean()), a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
        parts = [(one.var(ddof=1) / (len(one) / phi), len(one) / phi) for one in (a, b)]
        degrees = sum(part for part, _ in parts) ** 2 / sum(part**2 / (size - 1) for part, size in parts)
        half = float(stats.t.ppf(0.975, degrees) * np.sqrt(sum(part for part, _ in parts)))
        return value, value - half, value + half, value**2 / error, 1
    rows = [known.coordinates(one) for one in (x, y)]
    a, b = rows if of == "mean_shift" else map(known.features, rows)
    first, second = (float(one.var(0, ddof=1).sum()) for one in (a, b))
    if of == "mmd":  # features have the length 1 before they are rounded
        first, second = (float((1 - (one.mean(0) ** 2).sum()) * len(one) / (len(one) - 1)) for one in (a, b))
    else:
        first, second = (_spread(one) for one in (a, b))
    apart = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    unbiased = apart - first / len(a) - second / len(b)
    statistic = apart / ((1 / len(a) + 1 / len(b)) * (len(a) * first + len(b) * second) / (len(a) + len(b)))
    value = unbiased if of == "mmd" else float(np.sqrt(max(unbiased, 0.0) / second))
    return value, None, None, statistic, known.degrees[0 if of == "mmd" else 1]


def _spread(z: Numbers) -> float:
    """The sum of variances, with squared lengths rounded to 1 / 256."""
    squares = np.rint((z**2).sum(1) * 256) / 256
    return float((squares.mean() - (z.mean(0) ** 2).sum()) * len(z) / (len(z) - 1))


def _degrees(rows: Numbers) -> float:
    covariance = np.cov(rows.T)
    trace, squared = np.trace(covariance), (covariance**2).sum() - np.trace(covariance) ** 2 / len(rows)
    return float(min(max(trace**2 / squared, 1.0), rows.shape[1]))
