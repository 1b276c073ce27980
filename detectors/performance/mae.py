"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import Losses
from detectors.spec import NoParams, Result, Spec


def mae(n: Floats, absolute_sum: Floats) -> Floats:
    """absolute_sum / n, in units of the target; any shape, NaN where n is 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(absolute_sum / n)


SPEC: Spec[Losses, NoParams] = Spec(
    about=Measure(
        name="performance.mae",
        title="Mean absolute error",
        formula="sum |prediction - label| / n",
        brief="MAE",
        unit="target units",
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.REGRESSION,),
        requires=(Need.LABELS,),
        usual=True,
    ),
    evidence=Losses,
    compute=lambda target, _baseline, _params: Result(mae(target.n, target.of["absolute"].total)),
    no_value="no labelled rows",
)
