"""Evidence of another kind for each group of an attribute: the values of a protected dimension, or of a cross of several.

The last dimension of `predictions`, and that before the last of sums by class, are the groups; the dimensions before are windows x segments, as in all evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.block import Floats
from detectors.certainty import ScoreTables
from detectors.evidence import Confusion, Counts, Losses, Moments, Scores
from detectors.ranked import Ranked, ScoredPredictions

E = TypeVar("E")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ByGroup(Generic[E]):
    """The evidence `of` each of the groups (..., groups), whose segments are called `names`, and all their `predictions` (..., groups)."""

    names: tuple[str, ...]
    of: E
    predictions: Floats

    @property
    def each(self) -> Floats:
        """The rows of each group: (..., groups)."""
        found: Any = self.of
        return np.asarray(found.n)

    @property
    def n(self) -> Floats:
        """The rows of all groups: (...)."""
        return np.asarray(self.each.sum(-1))

    @property
    def empty(self) -> Any:
        """Why there are none: one text, or one for each place (...)."""
        found: Any = self.of
        empty = np.asarray(found.empty, object)
        # Of two texts that of rows without a score comes first in order: it holds if any group has rows.
        return empty.min(-1) if empty.ndim == self.each.ndim else found.empty


@dataclass(frozen=True)
class PredictionsByGroup(ByGroup[Counts]):
    """Predictions by class, of each group."""


@dataclass(frozen=True)
class OutcomesByGroup(ByGroup[Confusion]):
    """Labelled rows by class, of each group."""


@dataclass(frozen=True)
class LossesByGroup(ByGroup[Losses]):
    """Losses of labelled rows, of each group."""


@dataclass(frozen=True)
class ScoresByGroup(ByGroup[ScoreTables]):
    """Labelled rows by score, of each group."""


@dataclass(frozen=True)
class RankedByGroup(ByGroup[Ranked]):
    """Labelled rows in order of their scores, of each group."""


@dataclass(frozen=True)
class ScoredByGroup(ByGroup[ScoredPredictions]):
    """Predictions in order of their scores, of each group."""


@dataclass(frozen=True)
class MomentsByGroup(ByGroup[Moments]):
    """Moments of predicted numbers, of each group."""


@dataclass(frozen=True)
class GroupPredictions(Counts):
    """Predictions by class, of segments that are groups themselves."""


def gone_of(side: object) -> Flags:
    """Where raw events that are counted in evidence of scores are not there any more (...): of groups, those of any. Nowhere of other evidence."""
    of = side.of if isinstance(side, ByGroup) else side
    if not isinstance(of, Scores | Ranked):
        return np.zeros((), np.bool_)
    return np.asarray(of.gone.any(-1)) if isinstance(side, ByGroup) and of.gone.ndim else of.gone
