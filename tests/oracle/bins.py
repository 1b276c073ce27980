"""Bins, and the groups that PSI makes of them (docs/measures.md)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.oracle.value import INVALID, NULL

Codes = npt.NDArray[np.int64]


class NumericBins:
    """The bins of a numeric column: [a, b) between edges, open at both ends, then null, then invalid."""

    def __init__(self, reference: npt.NDArray[np.float64], edges: npt.NDArray[np.float64] | None = None) -> None:
        x = reference[np.isfinite(reference)]
        self.edges = _edges(x) if edges is None else edges
        self.values = len(self.edges) + 1
        self.null = self.values
        self.size = self.values + 2
        own = np.bincount(self.codes(x), minlength=self.size)[: self.values].tolist()
        self.groups = [*_numeric_groups(own), 10, 11]

    def codes(self, x: npt.NDArray[np.float64]) -> Codes:
        """The bin of each value; NaN is null, infinity invalid."""
        found = np.searchsorted(self.edges, x, side="right")
        return np.where(np.isnan(x), self.values, np.where(np.isinf(x), self.values + 1, found)).astype(np.int64)


class CategoricalBins:
    """The bins of a categorical column: the top 500 of the reference, other, unseen, null, invalid."""

    def __init__(self, reference: npt.NDArray[np.object_], kept: Sequence[str] | None = None) -> None:
        ranked = ranking(reference) if kept is None else list(kept)
        self.kept, self.others = ranked[:500], set(ranked[500:])
        self.values = len(self.kept)
        self.null = self.values + 2
        self.size = self.values + 4
        self.groups = [min(place, 9) for place in range(self.values)] + [9, 10, 11, 12]

    def codes(self, texts: npt.NDArray[np.object_]) -> Codes:
        """The bin of each text."""
        place = {value: index for index, value in enumerate(self.kept)} | {NULL: self.values + 2, INVALID: self.values + 3}
        return np.array([place.get(text, self.values + (0 if text in self.others else 1)) for text in texts], dtype=np.int64)


Bins = NumericBins | CategoricalBins


def ranking(texts: npt.NDArray[np.object_]) -> list[str]:
    """The values among texts, the most frequent first, ties by name; null and invalid are no values."""
    values, counts = np.unique(texts.astype(str), return_counts=True)
    pairs = sorted((-int(count), str(value)) for value, count in zip(values, counts, strict=True) if value not in {NULL, INVALID})
    return [value for _, value in pairs]


def _edges(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(x) == 0:
        return np.zeros(0)
    quantiles = np.quantile(x, np.arange(1, 50) / 50, method="inverted_cdf")
    values, counts = np.unique(x, return_counts=True)
    atoms = values[counts * 50 >= len(x)]
    return np.unique(np.concatenate([quantiles, atoms, np.nextafter(atoms, np.inf)]))


def _numeric_groups(own: Sequence[int]) -> list[int]:
    total, before, groups = sum(own), 0, []
    for count in own:
        groups.append(min(9, 10 * (2 * before + count) // (2 * total)) if total else 0)
        before += count
    return groups
