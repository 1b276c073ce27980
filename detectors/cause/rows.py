"""Rows as causes are looked for in them: the code of each value on each axis, and how bad each row is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from core import text
from core.block import Categories, Floats, Ints
from core.contract import Column, Contract, Kind
from core.segment import Segments
from detectors.contribution import bin_names, group_names
from detectors.groups import groups
from detectors.summary.bins import bins

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Axis:
    """A column that slices are made of, and the text of each of its codes, as segments write values. `group` (bins,) is the group of each bin of a numeric column.

    `declared`: it is a dimension of the contract, so that panes hold its values.
    """

    column: Column
    values: tuple[str, ...]
    group: Ints | None = None
    declared: bool = False

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.name

    @property
    def missing(self) -> tuple[int, ...]:
        """The codes of null and invalid values."""
        return tuple(code for code, value in enumerate(self.values) if value in (text.NULL, text.INVALID))

    def codes(self, contract: Contract, values: Categories | Floats) -> Ints:
        """The code of each value (n,)."""
        if self.declared and isinstance(values, Categories):
            return Segments(contract).dimensions[self.name].codes(values)
        found = bins(self.column, values)
        return found if self.group is None else self.group[found]


def axes(contract: Contract, reference: dict[str, Floats]) -> tuple[Axis, ...]:
    """The axes of a contract: its features and tags, but for vectors and texts. `reference` holds the counts by bin of columns (bins,), of which groups of numbers are made."""
    dimensions = Segments(contract).dimensions
    found = []
    for column in contract.columns:
        if column.name in dimensions:
            found.append(Axis(column, tuple(dimensions[column.name].texts), declared=True))
        elif column.numeric and column.edges:
            held = groups(column, reference.get(column.name, np.zeros(column.bins)))
            names = group_names(column, held)[:-1]
            found.append(Axis(column, tuple(name if name in _BARE else text.quote(name) for name in names), held))
        elif column.kind is Kind.CATEGORICAL and column.categories:
            found.append(Axis(column, bin_names(column)))
    return tuple(found)


_BARE = (text.NULL, text.INVALID)


@dataclass(frozen=True)
class Rows:
    """n rows that a measure counts: codes (axes, n), harm (n,), where more is worse; `place` (n,) is the row of each in the block that it was made of.

    `of` is how many rows they stand for, which is n unless they were drawn.
    """

    codes: Ints
    harm: Floats
    place: Ints
    of: int

    def __len__(self) -> int:
        return len(self.harm)

    @classmethod
    def counted(cls, codes: Ints, harm: Floats, of: int) -> Self:
        """The rows whose harm is known, of codes (axes, n) and harm (n,) with NaN for others; `of` is how many all n rows stand for."""
        place = np.flatnonzero(~np.isnan(harm))
        return cls(codes[:, place], harm[place], place, round(of * len(place) / max(1, len(harm))))

    def take(self, where: Flags) -> Rows:
        """The rows of a mask."""
        return Rows(self.codes[:, where], self.harm[where], self.place[where], round(self.of * int(where.sum()) / max(1, len(self))))

    def within(self, parts: Sequence[tuple[int, int]]) -> Flags:
        """Which rows have these codes, given as axis and code: (n,)."""
        found = np.ones(len(self), np.bool_)
        for axis, code in parts:
            found &= self.codes[axis] == code
        return found


def parsed(segment: str, every: Sequence[Axis]) -> tuple[tuple[int, int], ...] | None:
    """The axes and codes of a slice's text; None if an axis or a value is not among them."""
    places = {axis.name: index for index, axis in enumerate(every)}
    found = []
    for part in segment.split(","):
        name, _, value = part.partition("=")
        if name not in places or value not in every[places[name]].values:
            return None
        found.append((places[name], every[places[name]].values.index(value)))
    return tuple(sorted(found)) if all(one[0] != other[0] for one, other in pairwise(sorted(found))) else None
