"""The kinds of evidence that measures are computed from, as blocks: leading dimensions are windows x segments, and both sides broadcast.

Every kind has `n`, the rows that count, and `empty`, why there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.contract import Column


@dataclass(frozen=True)
class Counts:
    """Of a column: counts by bin (..., bins); `groups` (bins,) takes bins together (see `detectors.groups`)."""

    counts: Floats
    column: Column
    groups: Ints

    empty: ClassVar[str] = "no predictions"

    @property
    def n(self) -> Floats:
        """All distinct predictions, nulls included: (...)."""
        return np.asarray(self.counts.sum(-1))


@dataclass(frozen=True)
class Confusion:
    """Of K classes, in order of their texts: right, predicted and labelled rows by class, each (..., K); n (...).

    `positive` is the place of the positive class of a binary model.
    """

    n: Floats
    classes: tuple[str, ...]
    right: Floats
    predicted: Floats
    labelled: Floats
    positive: int | None = None

    empty: ClassVar[str] = "no labelled predictions"


@dataclass(frozen=True)
class Losses:
    """Of each loss by name its sum over labelled rows (...); n (...). `absolute` and `square` are those of the residual, prediction - label."""

    n: Floats
    sums: Mapping[str, Floats]

    empty: ClassVar[str] = "no labelled predictions"


@dataclass(frozen=True)
class Scores:
    """Scores by label: the area under the ROC curve (...), n the labelled rows with a score (...), `labelled` all labelled rows (...)."""

    n: Floats
    labelled: Floats
    roc_auc: Floats

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Rows may be labelled without a score: (...)."""
        return np.where(self.labelled > 0, "no labelled prediction has a score", "no labelled predictions").astype(object)


Evidence = Counts | Confusion | Losses | Scores
