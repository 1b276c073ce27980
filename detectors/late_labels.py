"""How likely labels are to have come by an age, learned from labels that came before; and the evidence `LateLabels`, labelled rows that are weighted by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from detectors.summary.delay import DELAY_BINS, delay_bins, whole_bins
from detectors.weighted import Weighted

ENOUGH = 30  # labels of a class that tell when those of the class come
LEAST = 0.05  # the least chance of a label that is weighted: its weight is then 20

Flags = npt.NDArray[np.bool_]


class Arrivals(NamedTuple):
    """Labels of panes: when the pane ended, the class, the bin of the delay, and how many; each (m,). A pane that ended at `EVER` has shown all of its labels."""

    end: Ints
    kind: Ints
    bin: Ints
    labels: Floats

    def take(self, rows: slice | Ints) -> Arrivals:
        """Those at some places."""
        return Arrivals(self.end[rows], self.kind[rows], self.bin[rows], self.labels[rows])


EVER = -(1 << 61)


def chances(found: Arrivals, as_of: int, kinds: int) -> Floats:
    """The chance of a label that comes at all to have come by the end of each bin of delay, by class: (kinds, `DELAY_BINS`), NaN for classes with less than `ENOUGH` labels.

    A pane shows delays only up to its age, so young panes hold too many labels that came soon. Of the labels that panes old enough show to have come by a bin, the
    share that came in this bin is not biased by it; the chance is the product of what these shares leave, from the longest delay that any pane shows down (the product-limit estimate
    for data that are truncated on the right: Lagakos, Barraj and De Gruttola 1988). Later delays than that are taken not to be.
    """
    seen = whole_bins(np.maximum(as_of - found.end, 0))
    shown = (found.bin <= seen) & (found.labels > 0)
    kind, place, last, count = found.kind[shown], found.bin[shown], seen[shown], found.labels[shown]
    width = DELAY_BINS + 1
    came = np.bincount(kind * width + place, count, kinds * width).reshape(kinds, width)
    gone = np.bincount(kind * width + last + 1, count, kinds * width).reshape(kinds, width)
    risk = np.cumsum(came - gone, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.where(came > 0, 1 - came / risk, 1.0)
    later = np.cumprod(left[:, ::-1], axis=1)[:, ::-1]  # of this bin and all behind it
    chance = later[:, 1:]
    return np.where(came.sum(axis=1, keepdims=True) >= ENOUGH, chance, np.nan)


def learned(found: Sequence[Arrivals], as_of: int, kinds: int) -> Floats:
    """The chances of `kinds` classes, of several sources the first that has labels enough, and for classes that none tells of those of all classes together: (kinds, `DELAY_BINS`)."""
    each = [chances(one, as_of, kinds) for one in found]
    together = [chances(one._replace(kind=np.zeros_like(one.kind)), as_of, 1) for one in found]
    own = np.full((kinds, DELAY_BINS), np.nan)
    for known in (*each, *together):
        own = np.where(np.isnan(own), known, own)
    return own


def weights(chance: Floats, kind: Ints, age: Ints) -> Floats:
    """One over the chance of each label to have come, by its class and age in microseconds: (n,); 0 where the labels of some class have no chance of at least `LEAST` at that age,
    since those that are missing are then not like any that came, and NaN where it is not known.
    """
    place = delay_bins(np.maximum(age, 0))
    least = np.where(np.isnan(chance).any(axis=0), np.nan, chance.min(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(least[place] >= LEAST, 1 / chance[kind, place], 0.0)
    return np.where(np.isnan(least[place]), np.nan, found)


@dataclass(frozen=True)
class Made:
    """The evidence `of` rows that are weighted; when the newest label of each window came (...), 0 without any; the rows that are too young to be weighted (...), and whether it is not known how late labels come (...).

    `chance` is by class the share of labels that came of those that will: (..., kinds), NaN where a class has no labels.
    """

    of: Weighted[Any]
    as_of: Floats
    young: Floats
    unknown: Flags
    chance: Floats


@dataclass(frozen=True)
class LateLabels:
    """n labelled rows (...). `make` gives the evidence of a kind of these rows, with the weights that `arrivals` of a span that ends with each window tell; `kinds` are the names of classes.

    `earlier` holds the evidence of that span.
    """

    n: Floats
    make: Callable[[type[Weighted[Any]], Sequence[Arrivals] | None], Made]
    arrivals: Callable[[], Sequence[Arrivals]] = field(default=lambda: ())
    kinds: tuple[str, ...] = ()
    earlier: tuple[LateLabels, ...] = ()

    empty: ClassVar[str] = "no labelled predictions"
