"""Drift of all features together, row by row: cosines and sines of phases, and correlations of normal scores (docs/measures.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import pdist

from tests.oracle.bins import NumericBins
from tests.oracle.rows import Rows
from tests.oracle.sample import Value

PAIRS = 128
Numbers = npt.NDArray[np.float64]


class Joint:
    """What the reference makes of the bins of all features, and of the rows of any file."""

    def __init__(self, whole: Rows) -> None:
        self.names = whole.spec.watched(whole.reference)
        self.numeric = [name for name in self.names if isinstance(whole.binned(name)[0], NumericBins)]
        self.scores = {name: _scores(*whole.binned(name)) for name in self.numeric}
        sample = np.hstack([self._coordinates(whole, name)[:: -(-whole.size // 1_000)] for name in self.names])
        self.bandwidth = float(np.median(pdist(sample))) or 1.0
        self._drawn = self._frequencies(whole)
        x = self.features(whole)[:: -(-whole.size // 5_000)] / (2**14 * np.sqrt(PAIRS))
        covariance = np.cov(x.T)
        trace = float(np.trace(covariance))
        squared = float((covariance**2).sum()) - trace**2 / len(x)
        self.degrees = min(max(trace**2 / squared, 1.0), 256.0)

    def _coordinates(self, rows: Rows, name: str) -> Numbers:
        """A normal score and two indicators, or an indicator of each bin; indicators are 1 / sqrt(2)."""
        bins, codes = rows.binned(name)
        if name not in self.scores:
            return np.asarray(np.eye(bins.size)[codes] / np.sqrt(2))
        return np.column_stack([self.scores[name][codes], (codes == bins.null) / np.sqrt(2), (codes == bins.null + 1) / np.sqrt(2)])

    def _frequencies(self, whole: Rows) -> dict[str, Numbers]:
        """By feature (coordinates, pairs): normal numbers, from the upper 53 bits of PCG64(1) by the inverse of the normal law, over the bandwidth."""
        source, found = np.random.PCG64(1), {}
        for name in self.names:
            many = 3 if name in self.scores else whole.binned(name)[0].size
            uniform = [((int(number) >> 11) + 0.5) / 2**53 for number in source.random_raw(many * PAIRS)]
            found[name] = stats.norm.ppf(uniform).reshape(many, PAIRS) / self.bandwidth
        return found

    def features(self, rows: Rows) -> npt.NDArray[np.int16]:
        """Of each row the cosine and the sine of each phase, in units of 2^-14; phases are sums of whole numbers of 1/65536 of a turn. (rows, 256)."""
        phase = np.zeros((rows.size, PAIRS), np.int64)
        for name in self.names:
            bins, codes = rows.binned(name)
            of_bin = np.zeros((bins.size, 1)) if name in self.scores else np.eye(bins.size) / np.sqrt(2)
            if name in self.scores:
                marks = np.eye(bins.size)[:, bins.null : bins.null + 2] / np.sqrt(2)
                of_bin = np.column_stack([self.scores[name], marks])
            phase += np.rint(of_bin @ self._drawn[name] / (2 * np.pi) * 65_536).astype(np.int64)[codes]
        angle = np.arange(65_536) * (2 * np.pi / 65_536)
        waves = np.rint(np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32) * 2**14).astype(np.int16)
        return waves[phase % 65_536].reshape(rows.size, 2 * PAIRS)

    def normal(self, rows: Rows) -> Numbers:
        """The normal scores of numeric features (rows, features); 0 of null and invalid."""
        return np.column_stack([self.scores[name][rows.binned(name)[1]] for name in self.numeric])


def of(rows: Rows) -> Joint:
    """What the reference of these rows makes."""
    found: Joint = rows.once("joint", lambda: Joint(Rows(rows.reference, rows.reference, rows.spec)))
    return found


def held(rows: Rows, measured: str) -> Any:
    """What a measure takes of each row."""
    known = of(rows)
    return rows.once(measured, lambda: (known.features if measured == "drift.mmd" else known.normal)(rows))


def _scores(bins: Any, codes: npt.NDArray[np.int64]) -> Numbers:
    counts = np.bincount(codes, minlength=bins.size)[: bins.values].astype(float)
    middle = np.array([counts[:place].sum() + counts[place] / 2 for place in range(bins.values)]) / max(counts.sum(), 1)
    return np.append(np.round(np.clip(stats.norm.ppf(middle), -4, 4) * 128) / 128, [0.0, 0.0])


def mmd(x: npt.NDArray[np.int16], y: npt.NDArray[np.int16], degrees: float) -> Value:
    """The unbiased estimate: means of the kernel over pairs of distinct rows of a side, less twice that over pairs of both."""
    n, m = len(x), len(y)
    if min(n, m) < 2:
        return Value(None)
    one, two = (side.sum(0, dtype=np.int64) / (2**14 * np.sqrt(PAIRS)) for side in (x, y))
    within, others = ((side @ side - many) / (many * (many - 1)) for side, many in ((one, n), (two, m)))
    value = within + others - 2 * (one @ two) / (n * m)
    spread = (n * (1 - within) + m * (1 - others)) / (n + m)
    statistic = float(((one / n - two / m) ** 2).sum() / ((1 / n + 1 / m) * spread))
    return Value(float(value), statistic=statistic, degrees=degrees)


def correlation(x: Numbers, y: Numbers, _degrees: float) -> Value:
    """The largest change of a correlation, and the chance of the largest change of Fisher's z among so many, as a chi-square of one degree."""
    if min(len(x), len(y)) < 4:
        return Value(None)
    with np.errstate(invalid="ignore", divide="ignore"):
        now, before = (np.corrcoef(np.where(side.std(0) > 1e-6, side, np.nan).T)[np.triu_indices(side.shape[1], 1)] for side in (x, y))
    there = ~np.isnan(now - before)
    if not there.any():
        return Value(None)
    moved = np.arctanh(np.clip(now, -0.99, 0.99)) - np.arctanh(np.clip(before, -0.99, 0.99))
    largest = float(np.max(moved[there] ** 2)) / (1 / (len(x) - 3) + 1 / (len(y) - 3))
    chance = float(stats.chi2.sf(largest, 1))
    among = 1 - (1 - chance) ** int(there.sum()) if chance > 1e-8 else chance * int(there.sum())
    return Value(float(np.abs(now - before)[there].max()), statistic=float(stats.chi2.isf(max(among, 1e-300), 1)), degrees=1)


MEASURES: dict[str, Callable[[Any, Any, float], Value]] = {"drift.mmd": mmd, "drift.correlation": correlation}
