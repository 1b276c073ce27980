"""Evidence of how sure a model is of its predictions, and how rightly. Blocks as in `detectors.evidence`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from core.block import Floats
from core.contract import Task
from detectors.evidence import Moments

SIGNALS = ("@confidence", "@entropy", "@margin", "@interval_width", "@set_size", "@ensemble_mean", "@ensemble_std")


def having(rows: Floats, n: Floats) -> Floats:
    """The rows that count where only those that have something do: (...). Where none has, all n, so that the reason is that and not that they are few."""
    return np.where(rows > 0, rows, n)


@dataclass(frozen=True)
class Signals:
    """Moments of those of `SIGNALS` that the contract has, by name; n counts all rows (...)."""

    n: Floats
    of: Mapping[str, Moments]
    task: Task

    empty: ClassVar[str] = "no predictions"

    def without(self, part: Self) -> Self:
        """The moments of the rows that are not among those of `part`."""
        return replace(self, n=self.n - part.n, of={name: held.without(part.of[name]) for name, held in self.of.items()})


@dataclass(frozen=True)
class Coverages:
    """Labelled rows: all, those whose interval or set holds the label, and those that have one; each (...). `earlier` are the windows before, the next one first."""

    n: Floats
    held: Floats
    rows: Floats
    earlier: tuple[Coverages, ...] = ()

    empty: ClassVar[str] = "no labelled predictions"


@dataclass(frozen=True)
class ScoreTable:
    """The labelled rows of one class and of the others by the frozen bin of their score for the class, and the sums of these scores: (..., bins) each.

    `edges` cut the bins.
    """

    positive: Floats
    negative: Floats
    positive_sum: Floats
    negative_sum: Floats
    edges: tuple[float, ...]

    @property
    def rows(self) -> Floats:
        """All rows with a score for the class: (..., bins)."""
        return np.asarray(self.positive + self.negative)

    @property
    def score(self) -> Floats:
        """The sums of all scores: (..., bins); not finite where scores are huge, and no probabilities."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.positive_sum + self.negative_sum)


@dataclass(frozen=True)
class ScoreTables:
    """The score tables of the classes that have scores, by their names; n counts labelled rows with a score, and `labelled` all labelled rows: each (...)."""

    n: Floats
    labelled: Floats
    of: Mapping[str, ScoreTable]

    @property
    def empty(self) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
        """Why there are none (...): labelled rows may have no score."""
        return np.where(self.labelled > 0, "no labelled prediction has a score", "no labelled predictions").astype(object)
