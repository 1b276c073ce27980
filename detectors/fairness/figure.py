"""Figures: numbers of groups that are made of sums, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from core.block import Floats
from detectors.interval import wilson


class Figure(Protocol):
    """A number of each group, (..., groups). `whole` is what it is a mean over: the figure of all groups is the mean of theirs, weighted by it."""

    @property
    def whole(self) -> Floats:
        """(..., groups)."""
        ...

    @property
    def value(self) -> Floats:
        """(..., groups), NaN for 0/0."""
        ...

    @property
    def all(self) -> Self:
        """That of all groups together: (..., 1)."""
        ...

    @property
    def rest(self) -> Self:
        """That of all other groups together, for each."""
        ...

    def bounds(self, z: Floats | float, phi: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """The interval at a normal quantile, with n / phi rows in place of n."""
        ...


def _all(sums: Floats) -> Floats:
    return np.asarray(sums.sum(-1, keepdims=True))


@dataclass(frozen=True)
class Rate:
    """The share `count` / `whole`. Its interval is Wilson's."""

    count: Floats
    whole: Floats

    @property
    def value(self) -> Floats:
        """See `Figure`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.whole > 0, self.count / self.whole, np.nan))

    @property
    def all(self) -> Self:
        """See `Figure`."""
        return type(self)(_all(self.count), _all(self.whole))

    @property
    def rest(self) -> Self:
        """See `Figure`."""
        return type(self)(_all(self.count) - self.count, _all(self.whole) - self.whole)

    def bounds(self, z: Floats | float, phi: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """See `Figure`."""
        return wilson(self.value, self.whole / phi, z)


@dataclass(frozen=True)
class Odds(Rate):
    """The odds `count` / `whole` of two kinds of rows. Its interval is that of the share of the first, by Wilson."""

    def bounds(self, z: Floats | float, phi: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """See `Figure`."""
        lower, upper = Rate(self.count, self.count + self.whole).bounds(z, phi)
        with np.errstate(invalid="ignore", divide="ignore"):
            return lower / (1 - lower), np.where(upper < 1, upper / (1 - upper), np.inf)


@dataclass(frozen=True)
class Mean:
    """The mean `total` / `whole` of numbers whose sum of squares about `middle` is `square`. Its interval is the normal one."""

    total: Floats
    whole: Floats
    square: Floats
    middle: float = 0.0

    @property
    def value(self) -> Floats:
        """See `Figure`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.whole > 0, self.total / self.whole, np.nan))

    @property
    def all(self) -> Self:
        """See `Figure`."""
        return type(self)(_all(self.total), _all(self.whole), _all(self.square), self.middle)

    @property
    def rest(self) -> Self:
        """See `Figure`."""
        total, whole, square = (_all(sums) - sums for sums in (self.total, self.whole, self.square))
        return type(self)(total, whole, square, self.middle)

    def bounds(self, z: Floats | float, phi: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """See `Figure`; NaN for less than two rows."""
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.maximum(self.square - self.whole * (self.value - self.middle) ** 2, 0.0) / (self.whole - 1)
            half = np.where(self.whole > 1, z * np.sqrt(variance * phi / self.whole), np.nan)
        return self.value - half, self.value + half
