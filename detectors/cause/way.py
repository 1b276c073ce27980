"""How the harm of rows becomes a measure, and how much of the measure's change a part of the rows makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.block import Floats, Ints
from detectors.cause.rows import Flags, Rows


@dataclass(frozen=True)
class Way:
    """How contributions are computed.

    `value` gives the measure of a mean harm, `worse` how much worse a value is than another one. `exact`: the measure of a slice is that of the mean harm of its rows. `shared`: contributions are shares of the
    measure, as for drift, and not shares of rows times how much worse these are; `center` is then taken off the harm of each row.
    `of_slice`, where it is given, is the measure of some rows of either side, and what the baseline has; NaN where there is none.
    """

    value: Callable[[Floats], Floats] = np.asarray
    worse: Callable[[Floats, Floats], Floats] = np.subtract
    exact: bool = True
    shared: bool = False
    center: float = 0.0
    of_slice: Callable[[Flags, Flags], tuple[float, float]] | None = None

    def change(self, target: Rows, baseline: Rows) -> float:
        """How much worse all rows are; of shared contributions, by how much the mean harm grew."""
        own, before = _mean(target.harm), _mean(baseline.harm)
        return own - before if self.shared else float(self.worse(self.value(np.array(own)), self.value(np.array(before))))

    def density(self, target: Sums, baseline: Sums, whole: tuple[Rows, Rows], change: float) -> Floats:
        """The contribution of slices by their share of rows (cells,). What is new has nothing to be compared with, so the whole baseline takes the place of its own."""
        own, before = whole
        share = target.n / max(1, len(own))
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.shared:
                now = (target.total - self.center * target.n) / max(1, len(own))
                then = (baseline.total - self.center * baseline.n) / max(1, len(before))
                return np.where(share > 0, (now - then) / share / (change or np.nan), 0.0)
            usual = np.where(baseline.n > 0, baseline.mean, _mean(before.harm))
            return np.where(target.n > 0, self.worse(self.value(target.mean), self.value(usual)), 0.0)


@dataclass(frozen=True)
class Sums:
    """Of cells of rows: how many, the sum of their harm, and that of its square, (cells,) each."""

    n: Floats
    total: Floats
    square: Floats

    @property
    def mean(self) -> Floats:
        """The mean harm, NaN without rows."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.total / self.n)

    def variance(self, usual: float) -> Floats:
        """The variance of the harm. It counts two rows of the `usual` variance among the others, so that a few equal rows are not certain."""
        with np.errstate(invalid="ignore", divide="ignore"):
            own = self.square - np.where(self.n > 0, self.total**2 / np.maximum(self.n, 1), 0.0)
        return np.asarray((np.maximum(own, 0.0) + 2 * usual) / (self.n + 2))

    def less(self, part: Sums) -> Sums:
        """The sums of the rows that are not among those of `part`."""
        return Sums(self.n - part.n, self.total - part.total, self.square - part.square)

    def take(self, which: Flags | Ints) -> Sums:
        """The cells of a mask or of places."""
        return Sums(self.n[which], self.total[which], self.square[which])


def _mean(harm: Floats) -> float:
    return float(harm.mean()) if len(harm) else 0.0
