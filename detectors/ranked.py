"""The evidence `Ranked`: labelled rows in order of their scores, from which curves and other thresholds are made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from detectors.evidence import unscored


@dataclass(frozen=True)
class ScoreCells:
    """The rows of many places in order of place, then of score, the highest first. A cell holds the rows of a place with one score, or of a score bin.

    `place`, `positive` and `negative` (m,): the place of each cell in the flattened block, and its rows of the class that is judged and of others. Scores are
    `low` where that equals `high`, else in [low, high), (m,).
    """

    place: Ints
    low: Floats
    high: Floats
    positive: Floats
    negative: Floats

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Which cells hold one score (m,)."""
        return np.asarray(self.low == self.high)

    def total(self, amount: Floats, places: int) -> Floats:
        """The sum of an amount of cells (m,) in each of so many places."""
        return np.asarray(np.bincount(self.place, amount, places), np.float64)

    def before(self, amount: Floats) -> Floats:
        """For each cell the sum of an amount over the cells of its place with higher scores: (m,)."""
        summed = np.concatenate([[0.0], np.cumsum(amount)])
        return np.asarray(summed[:-1] - summed[np.searchsorted(self.place, self.place)])


@dataclass(frozen=True)
class Ranked:
    """Labelled rows by their scores for each judged class (`detectors.summary.score`), in `cells`; n, the rows with any score, and `labelled`, all of them (...).

    `names` are the class that is not positive and the positive one of a binary model. `gone`: raw events that are counted are not there any more (...); there n counts
    all rows.
    """

    n: Floats
    labelled: Floats
    cells: tuple[ScoreCells, ...]
    names: tuple[str, str] = ("", "")
    gone: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((), np.bool_))

    @property
    def size(self) -> int:
        """How many cells there are."""
        return sum(len(cells.place) for cells in self.cells)

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are none (...): labelled rows may have no score."""
        return unscored(self.labelled)


@dataclass(frozen=True)
class ScoredPredictions(Ranked):
    """Predictions in order of their scores: all count as `negative`, and `labelled` counts all predictions."""

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are none (...): predictions may have no score."""
        return np.where(self.labelled > 0, "no prediction has a score", "no predictions").astype(object)
