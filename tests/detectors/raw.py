"""Evidence of raw values, as panes would have it: numbers (NaN null, infinity invalid) or texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Categories, Floats
from core.contract import Column
from detectors.evidence import Counts, Distinct, Moments, Sums
from detectors.groups import groups
from detectors.summary.bins import bins, number_bins
from detectors.tails import Tails
from monitors.reference.signal import binned


class Side:
    """Some rows of a column, and their evidence of any kind, as a block of one window and one segment."""

    def __init__(self, column: Column, values: Floats | Categories, reference: Floats | Categories) -> None:
        self.column, self.values = column, values
        self.groups = groups(column, self._counts(reference))
        self.counts = self._counts(values)

    def _counts(self, values: Floats | Categories) -> Floats:
        return np.bincount(bins(self.column, values), minlength=self.column.bins).astype(np.float64)

    @property
    def numbers(self) -> Floats:
        """The finite numbers."""
        assert not isinstance(self.values, Categories)
        return self.values[np.isfinite(self.values)]

    def of(self, kind: type[Any]) -> Any:
        """The evidence of a kind."""
        counts = self.counts[None, None]
        if kind is Counts:
            return Counts(counts, self.column, self.groups)
        if kind is Distinct:
            return self._distinct()
        if kind is Tails:
            return self._tails()
        return self._sums() if kind is Sums else self._moments()

    def _tails(self) -> Tails:
        low, high = self.column.tails or (-np.inf, np.inf)
        return Tails(_one(len(self.values)), _one(np.sum(self.numbers < low)), _one(np.sum(self.numbers > high)), self.column)

    def _sums(self) -> Sums:
        x, column, counts = self.numbers, self.column, self.counts[None, None]
        sums = np.bincount(number_bins(column, x), x, column.bins).astype(np.float64)[None, None]
        low, high = column.tails or (-np.inf, np.inf)
        least, most = (x.min(), x.max()) if len(x) else (np.nan, np.nan)
        return Sums(counts, column, self.groups, sums, *map(_one, (np.sum(x < low), np.sum(x > high), least, most)))  # type: ignore[arg-type]

    def _moments(self) -> Moments:
        x, column, n = self.numbers, self.column, len(self.values)
        low, high = column.range or (-np.inf, np.inf)
        with np.errstate(over="ignore"):
            sums = (x.sum(), ((x - column.middle) ** 2).sum(), np.abs(x).sum())
        extremes, outside = (x.min(initial=np.inf), x.max(initial=-np.inf)), np.sum((x < low) | (x > high))
        values = [_one(value) for value in (n, n, len(x), *sums, *extremes, outside)]
        return Moments(*values, column=column)  # type: ignore[arg-type,misc]

    def _distinct(self) -> Distinct:
        n = len(self.values)
        if not isinstance(self.values, Categories):
            x = self.numbers
            return Distinct(*map(_one, (n, n, np.nan, np.nan, x.min() == x.max() if len(x) else np.nan)))  # type: ignore[arg-type]
        held = {self.values.texts[code] for code in self.values.codes} - {"null", "invalid"}
        new = held - {*self.column.categories, *self.column.others}
        return Distinct(*map(_one, (n, n, len(held), len(new), len(held) == 1 if held else np.nan)))  # type: ignore[arg-type]


def _one(value: Any) -> Floats:
    return np.full((1, 1), float(value))


def sides(reference: Floats | Categories, *windows: Floats | Categories) -> list[Side]:
    """The reference and some windows under the contract that the reference makes."""
    column = binned("x", reference)
    return [Side(column, one, reference) for one in (reference, *windows)]
