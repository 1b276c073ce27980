"""Evidence of attributions, and of how features go together with the outcome. Blocks as in `detectors.evidence`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.block import Floats

MOST = 500_000  # labelled rows of a window that are read
SHOWN = 8  # features in the evidence of a reading


@dataclass(frozen=True)
class Attributions:
    """How much predictions owe to each feature: the sums of |attribution| and how many there are (..., features); `n` counts all rows, `features` names those that have attributions."""

    n: Floats
    absolute: Floats
    finite: Floats
    features: tuple[str, ...]

    empty: ClassVar[str] = "no predictions"

    @property
    def mean(self) -> Floats:
        """The mean |attribution| of each feature, 0 where it has none: (..., features)."""
        return np.divide(self.absolute, self.finite, out=np.zeros_like(self.absolute), where=self.finite > 0)

    @property
    def share(self) -> Floats:
        """The share of each feature in all attributions, NaN where all are 0: (..., features)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.mean / self.mean.sum(-1, keepdims=True))


@dataclass(frozen=True)
class Influence:
    """One feature, `place` among those of `attributions`, -1 where it is not there, and how strongly each goes together with the outcome, 0 to 1: (..., features).

    `n` counts labelled rows, `large` marks windows of which they are more than `MOST`, `read` counts those that were read: (...).
    """

    n: Floats
    attributions: Attributions
    association: Floats
    place: int
    large: npt.NDArray[np.bool_]
    read: Floats

    empty: ClassVar[str] = "no labelled predictions"
