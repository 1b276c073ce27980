"""The kinds of evidence that measures are computed from. Evidence is a block: its leading dimensions are windows x segments, and both sides broadcast.

Every kind has `n`, the number of rows that count, and `empty`, the reason if there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.contract import Column, Embedding, Multivariate
from detectors.sample import RawRows

E = TypeVar("E", bound="Counts | Moments | LossSums | Labelling | Joint | VectorSums")


def _less(whole: E, part: E, *names: str) -> E:
    """Evidence without that of some of its rows, by these fields."""
    return replace(whole, **{name: getattr(whole, name) - getattr(part, name) for name in names})


@dataclass(frozen=True)
class Counts:
    """Counts by bin of a column (..., bins); `groups` (bins,) is the group of each bin (see `detectors.groups`). `rows` are the raw rows, None where they cannot be read; with `of_reference` the other side has them. `once` (...), of a whole reference, are the only rows of their categories."""

    counts: Floats
    column: Column
    groups: Ints
    rows: RawRows | None = field(default=None, kw_only=True)
    of_reference: bool = field(default=False, kw_only=True)
    once: Floats | None = field(default=None, kw_only=True)

    empty: ClassVar[str] = "no predictions"

    @property
    def n(self) -> Floats:
        """All distinct predictions, nulls included: (...)."""
        return np.asarray(self.counts.sum(-1))

    def without(self, part: Self) -> Self:
        """The counts of the rows that are not among those of `part`."""
        return replace(_less(self, part, "counts"), rows=None, of_reference=False, once=None)


_ROUNDING = 4e-13  # of sums of floats, where three digits are wanted
NOT_TOGETHER = "panes hold no sums over all features together: give the reference with `--multivariate on`"
BEFORE = "panes are from before this was kept: `watchkeeper rebuild` makes them again"


@dataclass(frozen=True)
class Sums(Counts):
    """Counts of a numeric column, its sums by bin (..., bins), the rows below the reference's p1 and above its p99, the least number and the largest (...).
    The last two are NaN unless every pane has them. `known` says whether there are sums and tails, `unknown` why not.
    """

    sums: Floats
    below: Floats
    above: Floats
    low: Floats
    high: Floats
    known: bool = True
    unknown: str = BEFORE

    def without(self, part: Self) -> Self:
        """The sums of the rows that are not among those of `part`; the least and the largest number stay."""
        return replace(_less(self, part, "counts", "sums", "below", "above"), rows=None, of_reference=False)


@dataclass(frozen=True)
class Moments:
    """Moments of the finite numbers of a column, each (...): how many; their sum, sum of squares about its middle edge and sum of absolute values; the least and the
    largest, infinite if there are none; how many are outside of the column's range. `n` counts all rows, `measured` those of panes that have moments.
    `unknown` says why some panes have none.
    """

    n: Floats
    measured: Floats
    finite: Floats
    total: Floats
    square: Floats
    absolute: Floats
    low: Floats
    high: Floats
    outside: Floats
    column: Column
    unknown: str = BEFORE

    empty: ClassVar[str] = "no predictions"

    def without(self, part: Self) -> Self:
        """The moments of the rows that are not among those of `part`; the least and the largest number stay."""
        return _less(self, part, "n", "measured", "finite", "total", "square", "absolute", "outside")

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where every pane has moments (...); panes of earlier versions have none until they are rebuilt."""
        return np.asarray(self.measured == self.n)

    @property
    def mean(self) -> Floats:
        """NaN where there is no finite number, of which `without` may leave a sum of 1e-17: (...)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.finite > 0, self.total / self.finite, np.nan)

    @property
    def variance(self) -> Floats:
        """The unbiased one; NaN for less than two finite numbers, where moments are not known, and where numbers are so far from the middle of the reference
        that less than three digits would be left: (...).
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            apart = np.abs(self.mean - self.column.middle)
            centred = self.square - self.finite * apart**2
            lost = _ROUNDING * (self.square + self.finite * apart * np.abs(self.mean))
            found = np.where((self.square == 0) | (self.low == self.high), 0.0, np.where(lost < centred, centred, np.nan)) / (
                self.finite - 1
            )
        return np.where(self.known & (self.finite > 1) & np.isfinite(found), found, np.nan)


@dataclass(frozen=True)
class Distinct:
    """How many distinct values a column has, and how many of them the reference does not have (`new`), without null and invalid; each (...).

    Values with a bin of their own are counted, others estimated by a sketch. Both are NaN for a numeric column, which has no sketch. `single` is 1 if all
    values are equal, 0 if not, NaN if there is none. `unknown` says why some panes have no sketch. `unseen` (...) counts the rows with a new value; `rows` as of `Counts`.
    """

    n: Floats
    measured: Floats
    distinct: Floats
    new: Floats
    single: Floats
    unknown: str = BEFORE
    unseen: Floats = field(default_factory=lambda: np.zeros(()))
    rows: RawRows | None = None

    empty: ClassVar[str] = "no predictions"

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where every pane has a sketch (...)."""
        return np.asarray(self.measured == self.n)


@dataclass(frozen=True)
class Confusion:
    """Right, predicted and labelled rows by class, each (..., K) for K classes in order of their texts; n (...).

    `positive` is the index of the positive class of a binary model.
    """

    n: Floats
    classes: tuple[str, ...]
    right: Floats
    predicted: Floats
    labelled: Floats
    positive: int | None = None

    empty: ClassVar[str] = "no labelled predictions"

    @property
    def others(self) -> Floats:
        """Rows whose label is another class, by class: (..., K)."""
        return np.asarray(self.labelled.sum(-1, keepdims=True) - self.labelled)

    @property
    def wrongly(self) -> Floats:
        """Rows that a class was wrongly predicted for, its false positives: (..., K)."""
        return np.asarray(self.predicted - self.right)

    @property
    def missed(self) -> Floats:
        """Rows of a class that another was predicted for, its false negatives: (..., K)."""
        return np.asarray(self.labelled - self.right)

    @property
    def rejected(self) -> Floats:
        """Rows of other classes that a class was not predicted for, its true negatives: (..., K)."""
        return np.asarray(self.others - self.wrongly)


@dataclass(frozen=True)
class ConfusionMatrix(Confusion):
    """The counts of `Confusion`, and rows by predicted class and label, of the model's own classes `known`: `cells` (..., C, C).

    Events may hold any number of other classes.
    """

    known: tuple[str, ...] = ()
    cells: Floats = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True)
class LossSums:
    """The rows that have a loss, its sum and its sum of squares, each (...). The squares are NaN if a pane of an earlier version lacks them.

    `known` says where every pane has the loss; panes of earlier versions have fewer losses until they are rebuilt.
    """

    count: Floats
    total: Floats
    square: Floats
    known: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones((), np.bool_))

    def without(self, part: Self) -> Self:
        """The sums of the rows that are not among those of `part`."""
        return _less(self, part, "count", "total", "square")


@dataclass(frozen=True)
class Losses:
    """The losses of labelled rows by name (`detectors.summary.loss`); n, and the `largest` absolute error of a regression (...)."""

    n: Floats
    of: Mapping[str, LossSums]
    largest: Floats = field(default_factory=lambda: np.zeros(()))

    empty: ClassVar[str] = "no labelled predictions"

    def without(self, part: Self) -> Self:
        """The losses of the rows that are not among those of `part`."""
        return replace(self, n=self.n - part.n, of={name: held.without(part.of[name]) for name, held in self.of.items()})


@dataclass(frozen=True)
class ScoreLosses:
    """The losses of scores by name; n, which is the labelled rows with a score, and `labelled`, all labelled rows, each (...).

    `ranks` (..., K + 1) are the rows by the place of their label's class among the K classes by score, the highest first; at last those with scores for others only.
    """

    n: Floats
    labelled: Floats
    of: Mapping[str, LossSums]
    ranks: Floats

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are none (...): labelled rows may have no score."""
        return unscored(self.labelled)


def unscored(labelled: Floats) -> npt.NDArray[np.object_]:
    """Why there is no labelled row with a score (...)."""
    return np.where(labelled > 0, "no labelled prediction has a score", "no labelled predictions").astype(object)


@dataclass(frozen=True)
class Scores:
    """Scores by label: the area under the ROC curve (...), n, which is the labelled rows with a score (...), and `labelled`, all labelled rows (...).

    `positive` of the n rows are of the judged class (...), NaN where the area is a mean over classes. The area may be `bound` away from that of the rows.
    `gone`: raw events that are counted are not there any more (...); there n counts all labelled rows.
    """

    n: Floats
    labelled: Floats
    roc_auc: Floats
    positive: Floats = field(default_factory=lambda: np.full((), np.nan))
    bound: Floats = field(default_factory=lambda: np.zeros(()))
    gone: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((), np.bool_))

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are none (...): labelled rows may have no score."""
        return unscored(self.labelled)


@dataclass(frozen=True)
class Labelling:
    """Distinct predictions, and how many of them have a label now, each (...)."""

    n: Floats
    labelled: Floats

    empty: ClassVar[str] = "no predictions"

    def without(self, part: Self) -> Self:
        """The predictions that are not among those of `part`."""
        return _less(self, part, "n", "labelled")


@dataclass(frozen=True)
class Delays:
    """Labelled rows (...), and their labels by the bin of their delay, in order, with the sum of the delays in seconds: (..., bins).

    Rows whose delay is not known are in no bin; `unknown` says why.
    """

    n: Floats
    counts: Floats
    sums: Floats
    unknown: str = BEFORE

    empty: ClassVar[str] = "no labelled predictions"


@dataclass(frozen=True)
class Joint:
    """Sums over all features together (..., width) of the rows of panes that have them (`detectors.summary.multivariate`): n counts all rows, `measured` those; each (...).

    `profile` is the contract's, None if its panes have no sums.
    """

    n: Floats
    measured: Floats
    sums: Floats
    profile: Multivariate | None

    empty: ClassVar[str] = "no predictions"

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where every pane has sums (...)."""
        return np.asarray((self.measured == self.n) & (self.profile is not None))

    @property
    def unknown(self) -> str:
        """Why some panes have none."""
        return NOT_TOGETHER if self.profile is None else BEFORE

    def without(self, part: Self) -> Self:
        """The sums of the rows that are not among those of `part`."""
        return _less(self, part, "n", "measured", "sums")


@dataclass(frozen=True)
class ColumnDrift:
    """The drift of each feature (..., columns): the excess of `measure` over what it would be on average if nothing had moved, NaN where a column has no value, and its p-value,
    NaN where there is none; n (...). `importance` (columns,) is the mean |attribution| of each feature in the reference, None if some feature has none.
    """

    n: Floats
    excess: Floats
    p: Floats
    columns: tuple[str, ...]
    importance: Floats | None = None

    empty: ClassVar[str] = "no predictions"
    measure: ClassVar[str] = "drift.psi"


@dataclass(frozen=True)
class VectorSums:
    """Sums of the vectors of a column (..., width) by their places (`detectors.summary.vector_column.Sums`); n counts all rows (...)."""

    n: Floats
    sums: Floats
    known: Embedding

    empty: ClassVar[str] = "no predictions"

    @property
    def vectors(self) -> Floats:
        """How many rows have a vector that is not null or invalid: (...)."""
        return np.asarray(self.sums[..., -1])

    def mean(self, place: int | slice) -> Floats:
        """The mean of what is summed at a place, or at several: (...) or (..., places)."""
        vectors = self.vectors if isinstance(place, int) else self.vectors[..., None]
        return np.asarray(self.sums[..., place] / vectors)

    def unbiased(self, variance: Floats) -> Floats:
        """The unbiased variance, of one about the mean of these vectors: (...)."""
        return np.asarray(variance * self.vectors / (self.vectors - 1))

    def without(self, part: Self) -> Self:
        """The sums of the rows that are not among those of `part`."""
        return _less(self, part, "n", "sums")
