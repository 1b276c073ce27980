"""The evidence of estimates: predictions by score, what labels there are of them, and what the reference says of such scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.block import Floats
from detectors.evidence import BEFORE, Confusion


@dataclass(frozen=True)
class ClassScores:
    """The rows with a score for one class, by the bin of that score.

    `counts` (..., 2, bins) are predictions, those of other classes and those of the class; `own` and `others` (..., bins) labelled rows of the class and of other classes;
    `known` (segments, 2, bins) the labelled rows of the reference, of the class and of others, of which a segment's chances are made. `place` is the class's index in the confusion of labels.
    """

    counts: Floats
    own: Floats
    others: Floats
    known: Floats
    place: int


@dataclass(frozen=True)
class Predicted:
    """Predictions by score, for each class that is judged; of a binary model that is the positive one.

    n (...) are the predictions with a score, `rows` all, and `measured` those of panes that hold scores by bin. `labelled` are the labels that have come, and `labels` (...) those
    of rows with a score, or fewer if panes do not say how many. `outside` gives, for
    `features` and `scores`, the rows (...) that lie where the reference has none, and the share of them to expect if nothing has moved. `earlier` are the windows before,
    the next one first. `unknown` says why some panes do not hold scores by bin.
    """

    n: Floats
    rows: Floats
    measured: Floats
    binary: bool
    classes: tuple[ClassScores, ...]
    labelled: Confusion
    labels: Floats
    outside: Mapping[str, tuple[Floats, float]]
    unknown: str = BEFORE
    earlier: tuple[Predicted, ...] = ()

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where every pane holds scores by bin (...)."""
        return np.asarray(self.measured == self.rows)

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are no predictions with a score (...)."""
        unscored = np.where(self.known, "no prediction has a score", self.unknown)
        return np.where(self.rows > 0, unscored, "no predictions").astype(object)


def predictions(classes: Sequence[ClassScores], *, binary: bool) -> Floats:
    """The predictions with a score: for the class of a binary model, else for the class that they name. (...)."""
    return np.asarray(np.stack([one.counts.sum((-2, -1)) if binary else one.counts[..., 1, :].sum(-1) for one in classes], axis=-1).sum(-1))
