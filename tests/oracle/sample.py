"""A sample of a column, what is known of the column, and what a measure of it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle.bins import Bins, NumericBins
from tests.oracle.value import INVALID, NULL

Numbers = npt.NDArray[np.float64]


class Value(NamedTuple):
    """A value (None: not estimable) with its 95 % interval; and where its law is known, a statistic over its degrees of freedom, and these."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    statistic: float | None = None
    degrees: float = 0


@dataclass(frozen=True)
class Known:
    """What the contract knows of a column: its bins, and all values of the reference; and how many rows are worth one independent row."""

    bins: Bins
    values: npt.NDArray[Any]
    phi: float = 1.0

    @cached_property
    def numbers(self) -> Numbers:
        """The reference's finite numbers."""
        found: Numbers = self.values[np.isfinite(self.values)]
        return found

    @cached_property
    def texts(self) -> set[str]:
        """The reference's distinct texts."""
        return set(map(str, self.values))

    @cached_property
    def tails(self) -> tuple[float, float]:
        """The numbers below and above which a hundredth of the reference lies."""
        low, high = np.quantile(self.numbers, (0.01, 0.99), method="inverted_cdf")
        return float(low), float(high)

    @cached_property
    def scale(self) -> float:
        """The interquartile range, the standard deviation where it is 0; 0 of a constant."""
        x = self.numbers
        return 0.0 if len(x) == 0 or x.min() == x.max() else float(stats.iqr(x) or np.std(x))

    @cached_property
    def single(self) -> list[bool]:
        """Which value bins hold one value."""
        edges = self.bins.edges if isinstance(self.bins, NumericBins) else np.zeros(0)
        inner = [bool(np.nextafter(low, np.inf) == high) for low, high in pairwise(edges.tolist())]
        return [False, *inner, False] if len(edges) > 1 else [False] * (len(edges) + 1)


class Sample:
    """The rows of one place: `counts` by bin, and the values themselves (numbers, NaN null and infinity invalid; or texts) where they are asked for.

    `among`: all values of which these are a part, whose least and largest number stand for theirs. `rows`: whether a measure may read the values where bins are too coarse.
    """

    def __init__(
        self,
        counts: Sequence[int],
        values: Callable[[], npt.NDArray[Any]],
        among: Callable[[], npt.NDArray[Any]] | None = None,
        *,
        rows: bool = False,
    ) -> None:
        self.counts, self.n, self._values, self._among = counts, sum(counts), values, among or values
        self.rows = rows

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The least and the largest number."""
        held = self._among()
        found = held[np.isfinite(held)]
        return float(found.min()), float(found.max())

    @cached_property
    def values(self) -> npt.NDArray[Any]:
        """All rows' values."""
        return self._values()

    @cached_property
    def numbers(self) -> Numbers:
        """The finite ones."""
        found: Numbers = self.values[np.isfinite(self.values)]
        return found

    @cached_property
    def ordered(self) -> Numbers:
        """The finite ones, ascending."""
        return np.sort(self.numbers)

    @cached_property
    def texts(self) -> set[str]:
        """The distinct values that are texts or numbers, null and invalid apart."""
        return {str(value) for value in self.values if value not in {NULL, INVALID}}


def chi_degrees(part: float) -> float:
    """The d at which a chi variable's variance is this part of the mean of its square, by the first two terms of 1 / d."""
    return max(1.0, 1 / (2 - math.sqrt(max(0.0, 4 - 8 * part))))
