"""Slices of rows, one or two values deep, ranked by what they contribute to a measure's change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtr

from core.block import Floats, Ints
from core.cause import LEVEL
from core.segment import ALL
from detectors.cause.rows import Axis, Rows
from detectors.cause.way import Sums, Way
from detectors.multiple import q_values

FEWEST, SHARE = 30, 0.005  # rows that a slice has at least, and their share of all
HELD = 0.8  # of a slice's contribution: a child that holds as much is before it
APART = 0.5  # of a child's density: if the rest of its parent has more, the child is nothing of its own
_PAIRED = 24  # axes that are crossed, dimensions before others
_COMPARED = 12  # slices of which it is asked which of two tells more
_DILUTED, _DENSER = 0.4, 1.25  # of densities

Parts = tuple[tuple[int, int], ...]
"""Axes and codes, in order of the axes; () is all rows."""


@dataclass(frozen=True)
class Slice:
    """A slice of the rows: its share of them, its value and that of its baseline (None where there is none), how many rows of the target it has, what it contributes, and how likely it is by chance that it contributes
    so much more than its share of rows; p is adjusted for the number of slices, None where there are no rows to test.
    """

    parts: Parts
    name: str
    share: float
    value: float | None
    baseline: float | None
    n: int
    contribution: float
    p: float | None


def slices(
    every: Sequence[Axis],
    target: Rows,
    baseline: Rows,
    way: Way,
    *,
    left: frozenset[str] = frozenset(),
    known: Callable[[Slice], Slice | None] = lambda one: one,
) -> list[Slice]:
    """The slices that contribute, in order: those that are certain first, then by contribution, a slice behind a child that holds most of it.

    `left` names axes that no slice is made of. `known` gives a slice the numbers that are known of it from elsewhere, or leaves it out. Source: the sums of a slice and the rest are compared by a one-sided Welch test, and adjusted by Benjamini and Hochberg.
    """
    held = [axis for axis, one in enumerate(every) if one.name not in left]
    change, whole = way.change(target, baseline), (target, baseline)
    paired = sorted(sorted(held, key=lambda axis: not every[axis].declared)[:_PAIRED])
    groupings = (*((axis,) for axis in held), *combinations(paired, 2))
    found = [_cells(axes, every, target, baseline) for axes in groupings]
    parts = [one for cells, _, _ in found for one in cells]
    if not parts:
        return []
    own, before = _joined([one for _, one, _ in found]), _joined([one for _, _, one in found])
    density = way.density(own, before, whole, change)
    p = q_values(_chances(own, before, whole, way, change))
    share = own.n / len(target)
    kept = Kept(parts, share, share * density)
    listed: list[Slice] = []
    for place in np.flatnonzero(share * density > 0).tolist():
        if kept.stands(place):
            value, usual = _values(way, whole, parts[place], own.mean[place], before.mean[place])
            n = round(share[place] * target.of)
            part, contribution = float(share[place]), float(share[place] * density[place])
            one = Slice(parts[place], named(parts[place], every), part, value, usual, n, contribution, float(p[place]))
            listed += [told] if (told := known(one)) is not None and told.contribution > 0 else []

    def overlap(one: Parts, other: Parts) -> float:
        both, both_before = (_sums(rows.harm[rows.within((*one, *other))]) for rows in whole)
        return float(both.n[0] / len(target) * way.density(both, both_before, whole, change)[0])

    return ranked(listed, tells_more(every, overlap))


class Kept:
    """Which slices stand for themselves: those without parents, and children beside whose rows the rest of each parent contributes less than half as much a row."""

    def __init__(self, parts: Sequence[Parts], share: Floats, contribution: Floats) -> None:
        self._parts, self._share, self._contribution = parts, share, contribution
        self._place = {one: place for place, one in enumerate(parts)}

    def stands(self, place: int) -> bool:
        """Whether the slice at a place stands for itself."""
        return all(self._apart(place, self._place[parent]) for parent in parents(self._parts[place]) if parent in self._place)

    def _apart(self, child: int, parent: int) -> bool:
        rest = self._share[parent] - self._share[child]
        if rest < SHARE / 10 or rest < 0.02 * self._share[child]:
            return False
        density = self._contribution[child] / self._share[child]
        return bool((self._contribution[parent] - self._contribution[child]) / rest <= APART * density)


def ranked(found: Sequence[Slice], before: Callable[[Slice, Slice], bool] = lambda _one, _other: False) -> list[Slice]:
    """Slices by contribution, those that are not certain last, and each behind its children that hold `HELD` of its contribution.

    `before(one, other)`: the first one of two that are no parent and child tells more of the same rows; it is asked of the first `_COMPARED` slices.
    """
    order = sorted(found, key=lambda one: (not certain(one), -one.contribution, one.name))
    first = order[:_COMPARED]
    waiting = {
        one.parts: [other for other in order if one.parts in parents(other.parts) and other.contribution >= HELD * one.contribution]
        + [other for other in first if one in first and certain(other) and not _related(one.parts, other.parts) and before(other, one)]
        for one in order
    }
    placed: list[Slice] = []
    begun: set[Parts] = set()

    def place(one: Slice) -> None:
        if one.parts not in begun:
            begun.add(one.parts)
            for other in waiting[one.parts]:
                place(other)
            placed.append(one)

    for one in order:
        place(one)
    return placed


def certain(one: Slice) -> bool:
    """Whether the slice contributes more than its share of rows beyond chance."""
    return one.p is not None and one.p <= LEVEL


def tells_more(every: Sequence[Axis], overlap: Callable[[Parts, Parts], float]) -> Callable[[Slice, Slice], bool]:
    """Of two slices that are no parent and child: whether the first one tells more than the other, whose contribution it holds too (`overlap` is what the rows of both contribute).

    A slice of dimensions only, on which others can act, tells more than a value that was found, unless it is far more diluted; of two values that were found the clearly denser one does.
    """

    def before(one: Slice, other: Slice) -> bool:
        if overlap(one.parts, other.parts) < HELD * other.contribution:
            return False
        of_dimensions, of_other = (all(every[axis].declared for axis, _ in held.parts) for held in (one, other))
        denser = one.contribution / one.share / (other.contribution / other.share)
        return not of_other and denser >= (_DILUTED if of_dimensions else _DENSER)

    return before


def _related(one: Parts, other: Parts) -> bool:
    return one in parents(other) or other in parents(one) or one == other


def parents(parts: Parts) -> list[Parts]:
    """The slices with one part less; none of a slice of one part."""
    return [parts[:at] + parts[at + 1 :] for at in range(len(parts))] if len(parts) > 1 else []


def named(parts: Parts, every: Sequence[Axis]) -> str:
    """The text of a slice, as that of a segment."""
    return ",".join(f"{every[axis].name}={every[axis].values[code]}" for axis, code in parts) or ALL


def _cells(axes: tuple[int, ...], every: Sequence[Axis], target: Rows, baseline: Rows) -> tuple[list[Parts], Sums, Sums]:
    """The cells of some axes that have rows enough, and their sums on either side."""
    sizes = [len(every[axis].values) for axis in axes]
    own = _tallied(_together(target.codes[list(axes)], sizes), target.harm, math.prod(sizes))
    enough = np.flatnonzero(own.n >= max(FEWEST, SHARE * len(target)))
    before = _tallied(_together(baseline.codes[list(axes)], sizes), baseline.harm, math.prod(sizes))
    codes = zip(*(one.tolist() for one in np.unravel_index(enough, sizes)), strict=True)
    return [tuple(zip(axes, one, strict=True)) for one in codes], own.take(enough), before.take(enough)


def _together(codes: Ints, sizes: Sequence[int]) -> Ints:
    return np.asarray(np.ravel_multi_index(tuple(codes), tuple(sizes)), np.int64)


def _sums(harm: Floats) -> Sums:
    """The sums of one cell."""
    return Sums(*(np.array([one], np.float64) for one in (len(harm), harm.sum(), (harm**2).sum())))


def _centred(sums: Sums, center: float, rows: int) -> Sums:
    """The sums of cells over all rows, of which those in no cell add nothing, with the harm less `center`."""
    square = sums.square - 2 * center * sums.total + center**2 * sums.n
    return Sums(np.full(sums.n.shape, float(rows)), sums.total - center * sums.n, square)


def _tallied(cell: Ints, harm: Floats, size: int) -> Sums:
    n = np.bincount(cell, minlength=size).astype(np.float64)
    total, square = (np.asarray(np.bincount(cell, weights, size), np.float64) for weights in (harm, harm**2))
    return Sums(n, total, square)


def _joined(parts: Sequence[Sums]) -> Sums:
    return Sums(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("n", "total", "square")))


def _chances(own: Sums, before: Sums, whole: tuple[Rows, Rows], way: Way, change: float) -> Floats:
    """The p-value of each slice: that by chance it contributes so much more than its share of rows."""
    target, baseline = whole
    usual = [float(one.harm.var()) if len(one) else 0.0 for one in whole]
    if way.shared:  # of the harm of its rows, 0 for others
        sides = [_centred(one, way.center, len(rows)) for rows, one in zip(whole, (own, before), strict=True)]
        apart = sides[0].mean - sides[1].mean - own.n / len(target) * change
        spread = sum(side.variance(var) / len(rows) for side, var, rows in zip(sides, usual, whole, strict=True))
    else:
        mean = float(baseline.harm.mean()) if len(baseline) else 0.0
        cells = own, before, _sums(target.harm).less(own), _sums(baseline.harm).less(before)
        now, then, rest, rest_then = (np.where(one.n > 0, one.mean, mean) for one in cells)
        apart = (now - then) - (rest - rest_then)
        spread = sum(one.variance(var) / np.maximum(one.n, 1) for one, var in zip(cells, usual * 2, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, ndtr(-apart / np.sqrt(spread)), 1.0)


def _values(way: Way, whole: tuple[Rows, Rows], parts: Parts, own: float, before: float) -> tuple[float | None, float | None]:
    if way.of_slice is not None:
        found = way.of_slice(whole[0].within(parts), whole[1].within(parts))
    elif way.exact:
        found = (float(way.value(np.array(own))), float(way.value(np.array(before))))
    else:
        found = (math.nan, math.nan)
    return (None if math.isnan(found[0]) else found[0], None if math.isnan(found[1]) else found[1])
