"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Losses
from detectors.spec import NoParams, Result, Spec


def rmse(n: Floats, square_sum: Floats) -> Floats:
    """sqrt(square_sum / n), in units of the target; any shape, NaN where n is 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(square_sum / n)


SPEC: Spec[Losses, NoParams] = Spec(
    about=Measure(
        name="performance.rmse",
        title="Root mean squared error",
        formula="sqrt(sum (prediction - label)^2 / n)",
        brief="RMSE",
        unit="target units",
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.REGRESSION,),
        requires=(Need.LABELS,),
        usual=True,
    ),
    evidence=Losses,
    compute=lambda target, _baseline, _params: Result(rmse(target.n, target.of["square"].total)),
    no_value="no labelled rows",
)
