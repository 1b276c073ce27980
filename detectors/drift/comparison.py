"""What measures that compare the counts of a target and a baseline have in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.block import Floats
from detectors.evidence import Counts
from detectors.spec import NoParams, Result


def comparison(distance: Callable[[Counts, Counts], Floats]) -> Callable[[Counts, Counts | None, NoParams], Result]:
    """A measure's `compute`, from a function for the distance of target and baseline; no value if there is no baseline."""

    def compute(target: Counts, baseline: Counts | None, _params: NoParams) -> Result:
        return Result(np.full(target.counts.shape[:-1], np.nan) if baseline is None else distance(target, baseline))

    return compute
