"""Segments: `all`, each value of each dimension, and each combination of values of a declared cross.

A *grouping* is a tuple of dimensions: `()` is `all`, `("carrier",)` a dimension, `("carrier", "origin")` a cross. A row is in one segment of each grouping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import prod

import numpy as np
import numpy.typing as npt

from core.block import Categories
from core.contract import Contract, Dimension
from core.text import INVALID, NULL, OTHER

ALL = "all"


class Segments:
    """The numbered segments of a contract: `assign` gives each row its number, `name` gives a number its text."""

    def __init__(self, contract: Contract) -> None:
        self.dimensions = {dimension.name: _Dimension(dimension) for dimension in contract.dimensions}
        self.groupings: tuple[tuple[str, ...], ...] = ((), *((name,) for name in self.dimensions), *contract.crosses)
        self._sizes = [prod(len(self.dimensions[name].texts) for name in grouping) for grouping in self.groupings]
        self._offsets = [0, *accumulate(self._sizes)]
        self._names: dict[int, str] = {}

    @property
    def size(self) -> int:
        """How many segments there can be."""
        return self._offsets[-1]

    def assign(self, rows: int, values: Mapping[str, Categories]) -> list[npt.NDArray[np.int64]]:
        """Segment numbers of `rows` rows, one array a grouping; `values` holds each dimension's texts."""
        codes = {name: dimension.codes(values[name]) for name, dimension in self.dimensions.items()}
        assigned = []
        for grouping, offset in zip(self.groupings, self._offsets, strict=False):
            number = np.zeros(rows, np.int64)
            for name in grouping:
                number = number * len(self.dimensions[name].texts) + codes[name]
            assigned.append(number + offset)
        return assigned

    def name(self, number: int) -> str:
        """The text of a segment: `all`, `carrier=UA`, `carrier=UA,origin=JFK`."""
        if number not in self._names:
            index = next(i for i, end in enumerate(self._offsets[1:]) if number < end)
            rest, parts = number - self._offsets[index], []
            for name in reversed(self.groupings[index]):
                rest, code = divmod(rest, len(self.dimensions[name].texts))
                parts.append(f"{name}={self.dimensions[name].texts[code]}")
            self._names[number] = ",".join(reversed(parts)) or ALL
        return self._names[number]


class _Dimension:
    """The values of one dimension: the kept ones, then `other`, `null`, `invalid`."""

    def __init__(self, dimension: Dimension) -> None:
        self.texts: Sequence[str] = (*dimension.kept, OTHER, NULL, INVALID)
        self._code = {text: code for code, text in enumerate(self.texts) if text != OTHER}
        self._other = len(dimension.kept)

    def codes(self, values: Categories) -> npt.NDArray[np.int64]:
        """The code of each row's value; a value that is not kept is `other`."""
        table = np.array([self._code.get(text, self._other) for text in values.texts], np.int64)
        return table[values.codes] if len(table) else np.zeros(len(values.codes), np.int64)


def grouping_of(segment: str) -> tuple[str, ...]:
    """The dimensions of a segment's text.

    >>> grouping_of("carrier=UA,origin=JFK"), grouping_of("all")
    (('carrier', 'origin'), ())
    """
    return () if segment == ALL else tuple(part.split("=", 1)[0] for part in segment.split(","))
