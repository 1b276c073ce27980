"""The gap between groups: the widest difference or ratio of a figure, between any two of them or from a reference, with an interval.

Differences and ratios have intervals that are made of those of both sides (Newcombe 1998 for rates; Zou and Donner 2008; Donner and Zou 2012). That of the widest gap
holds the population's widest gap: all comparisons hold together, and it reaches from the largest of their lower bounds to the largest of their upper ones. It is conservative.
Of any two groups only those pairs are compared that can make one of both bounds (`detectors.fairness.outermost`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from detectors.fairness.figure import Figure
from detectors.fairness.outermost import outermost
from detectors.simultaneous import bonferroni, tukey

Flags = npt.NDArray[np.bool_]
OVERALL = -1  # the place of all groups together among groups
ANY = -2  # no reference: any two groups are compared
NOWHERE = -3  # the reference is a group without any row: nothing is compared


class Bounds(NamedTuple):
    """The interval of a gap, and the two groups whose gap is most evident: that with the largest lower bound (of a ratio: the smallest upper one). Each (...)."""

    lower: Floats
    upper: Floats
    high: Ints
    low: Ints


class _Side(NamedTuple):
    """One side of comparisons: the figure and its interval; broadcast against those of the other side."""

    value: Floats
    lower: Floats
    upper: Floats

    @staticmethod
    def of(figure: Figure, z: Floats, phi: Floats) -> _Side:
        """The side of all groups."""
        return _Side(figure.value, *figure.bounds(z, phi))

    def at(self, place: int) -> _Side:
        """The side of one group."""
        return _Side(*(one[..., place, None] for one in self))

    def take(self, places: Ints) -> _Side:
        """The side of the groups at some places (..., places)."""
        return _Side(*(np.take_along_axis(one, places, -1) for one in self))

    def less(self, other: _Side) -> tuple[Floats, Floats]:
        """The interval of the difference of both."""
        apart = self.value - other.value
        lower = apart - np.sqrt((self.value - self.lower) ** 2 + (other.upper - other.value) ** 2)
        return lower, apart + np.sqrt((self.upper - self.value) ** 2 + (other.value - other.lower) ** 2)

    def over(self, other: _Side) -> tuple[Floats, Floats]:
        """The interval of the ratio of both, neither below 0; infinite above where the other may be 0."""
        product = self.value * other.value
        low, below = self.lower * (2 * self.value - self.lower), other.upper * (2 * other.value - other.upper)
        high, above = self.upper * (2 * self.value - self.upper), other.lower * (2 * other.value - other.lower)
        with np.errstate(invalid="ignore", divide="ignore"):
            lower = np.where(low > 0, low / (product + np.sqrt(np.maximum(product**2 - low * below, 0.0))), 0.0)
            upper = np.where(above > 0, (product + np.sqrt(np.maximum(product**2 - high * above, 0.0))) / above, np.inf)
        return lower, upper


@dataclass(frozen=True)
class Gap:
    """The gap of a `figure` between the groups that are `kept` (..., groups), from the group at the place `reference`, from all groups together, or between any two.

    `families`: several gaps hold together. `ratio`: the smaller over the larger in place of the difference.
    """

    figure: Figure
    kept: Flags
    reference: int = ANY
    families: int = 1
    ratio: bool = False

    @property
    def compared(self) -> Flags:
        """Where there is something to compare: at least two groups, and the reference among them (...)."""
        there = np.asarray(self.kept.sum(-1) >= 2) & (self.reference != NOWHERE)
        return np.asarray(there & self.kept[..., self.reference]) if self.reference >= 0 else there

    @property
    def value(self) -> Floats:
        """(...), NaN where nothing is compared, and for a ratio of 0/0."""
        high, low = (self._at(place) for place in self.pair)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.compared, low / high if self.ratio else high - low, np.nan)

    @property
    def pair(self) -> tuple[Ints, Ints]:
        """The two groups that make the gap, the one with the larger figure first (...); `OVERALL` for all together."""
        value = self.figure.value
        highest, lowest = (np.asarray(at(np.where(self.kept, value, void), -1)) for at, void in ((np.argmax, -np.inf), (np.argmin, np.inf)))
        if self.reference in (ANY, NOWHERE):
            return highest, lowest
        own = self._reference()
        apart = np.where(self.kept, self._apart(value, own[..., None]), -1.0)
        if self.reference >= 0:
            apart[..., self.reference] = -1.0
        widest = apart.argmax(-1)
        above = np.take_along_axis(value, widest[..., None], -1)[..., 0] >= own
        fixed = np.full_like(widest, self.reference)
        return np.where(above, widest, fixed), np.where(above, fixed, widest)

    def bounds(self, phi: Floats) -> Bounds:
        """The interval, with n / phi rows in place of n; phi broadcasts against (...)."""
        shape = self.kept.shape[:-1]
        near, far = np.full(shape, -np.inf), np.full(shape, -np.inf)
        first, second = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for one, other, bounds, there in self._comparisons(np.asarray(phi, np.float64)[..., None]):
            # The population's widest gap is at least each pair's, so both bounds are the widest ones: for a ratio the smallest, which are the largest below zero.
            sides = (-bounds[1], -bounds[0]) if self.ratio else bounds
            least, most = (np.where(there & ~np.isnan(bound), bound, -np.inf) for bound in sides)
            best = least.argmax(-1)[..., None]
            found = np.take_along_axis(least, best, -1)[..., 0]
            places = (np.take_along_axis(np.broadcast_to(side, least.shape), best, -1)[..., 0] for side in (one, other))
            first, second = (np.where(found > near, new, old) for new, old in zip(places, (first, second), strict=True))
            near, far = np.maximum(near, found), np.maximum(far, most.max(-1))
        lower, upper = (-far, np.minimum(-near, 1.0)) if self.ratio else (near, far)
        lower, upper = (np.where(self.compared & np.isfinite(bound), bound, np.nan) for bound in (np.maximum(lower, 0.0), upper))
        return Bounds(lower, upper, *((second, first) if self.ratio else (first, second)))

    def _comparisons(self, phi: Floats) -> Iterator[tuple[Ints, Ints, tuple[Floats, Floats], Flags]]:
        """The two groups of comparisons, the interval of the first against the second, and whether it counts: each (..., groups)."""
        if self.reference in (ANY, NOWHERE):
            yield from self._pairs(phi)
            return
        count, places = self.kept.sum(-1), np.arange(self.kept.shape[-1])
        overall = self.reference == OVERALL
        z = bonferroni(np.maximum(count - (not overall), 0), self.families)[..., None]
        own = _Side.of(self.figure, z, phi)
        other = _Side.of(self.figure.rest, z, phi) if overall else own.at(self.reference)
        there = self.kept & (places != self.reference)
        fixed = np.full_like(places, self.reference)
        for first, second, sides in ((places, fixed, (own, other)), (fixed, places, (other, own))):
            found = self._interval(*sides)
            yield first, second, self._of_all(found, inverse=first is fixed) if overall else found, there

    def _pairs(self, phi: Floats) -> Iterator[tuple[Ints, Ints, tuple[Floats, Floats], Flags]]:
        """As `_comparisons`, of any two groups: the pairs that can have the largest lower bound, then those that can have the largest upper one."""
        own = _Side.of(self.figure, tukey(self.kept.sum(-1), self.families)[..., None], phi)
        # Rounded, a bound may be on the other side of the value by a last digit.
        above, below = np.abs(own.upper - own.value), np.abs(own.value - own.lower)
        for wide in (False, True):
            high, high_kept = outermost(own.value, above if wide else below, self.kept, wide=wide)
            low, low_kept = outermost(-own.value, below if wide else above, self.kept, wide=wide)
            one, one_kept, other, other_kept = (low, low_kept, high, high_kept) if self.ratio else (high, high_kept, low, low_kept)
            against = own.take(other)
            for at in range(one.shape[-1]):
                place = one[..., at, None]
                there = one_kept[..., at, None] & other_kept & (place != other)
                yield place, other, self._interval(own.take(place), against), there

    def _interval(self, first: _Side, second: _Side) -> tuple[Floats, Floats]:
        return first.over(second) if self.ratio else first.less(second)

    def _of_all(self, bounds: tuple[Floats, Floats], *, inverse: bool) -> tuple[Floats, Floats]:
        """From the bounds against the rest of all rows those against all rows, which hold the group; `inverse`: of all rows against the group."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.figure.whole / self.figure.all.whole
            if not self.ratio:
                return bounds[0] * (1 - share), bounds[1] * (1 - share)
            if inverse:
                return share + (1 - share) * bounds[0], share + (1 - share) * bounds[1]
            return 1 / (share + (1 - share) / bounds[0]), 1 / (share + (1 - share) / bounds[1])

    def _apart(self, value: Floats, own: Floats) -> Floats:
        """How far apart two figures are: larger for a wider gap."""
        if not self.ratio:
            return np.abs(value - own)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.nan_to_num(1 - np.minimum(value, own) / np.maximum(value, own))

    def _at(self, place: Ints) -> Floats:
        """The figure of the group at a place (...)."""
        own = np.take_along_axis(self.figure.value, np.maximum(place, 0)[..., None], -1)[..., 0]
        return np.where(place == OVERALL, self.figure.all.value[..., 0], own)

    def _reference(self) -> Floats:
        """The figure of the reference (...)."""
        return self.figure.all.value[..., 0] if self.reference == OVERALL else self.figure.value[..., self.reference]
