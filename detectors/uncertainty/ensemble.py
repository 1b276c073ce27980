"""How much the members of an ensemble disagree."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure
from detectors.certainty import Signals
from detectors.evidence import Moments
from detectors.spec import NoParams, Places, Result, Spec, estimable
from detectors.uncertainty.mean import counted, missing

_STD, _MEAN = "@ensemble_std", "@ensemble_mean"
NOTHING = "no prediction has `ensemble`"


def mean_square(held: Moments) -> Floats:
    """The mean of the squares of a column's finite numbers: (...), NaN where there is none. Panes keep squares about the column's middle m: x^2 = (x - m)^2 + 2 m x - m^2."""
    middle = held.column.middle
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(held.square / held.finite + 2 * middle * held.mean - middle**2)


def ensemble_variance(target: Signals, _baseline: Signals | None, _params: NoParams) -> Result:
    """The mean over rows of the variance of the members (of the population, 1/M): (...).

    Of a binary model the members are probabilities, and the variance of the label given the features splits into both kinds of uncertainty (the law of total variance):
    p (1 - p) of the mean member p is the mean of the members' own p_i (1 - p_i), which is that of the data, and the variance of the members, that of the model's
    knowledge. The evidence has the means of all three. Source: Depeweg, Hernandez-Lobato, Doshi-Velez and Udluft 2018.
    """
    if _STD not in target.of:
        return missing(target.n.shape, _STD)
    held = target.of[_STD]
    value, why = estimable(np.maximum(mean_square(held), 0.0), (held.finite == 0, NOTHING), (~held.known, held.unknown))

    def evidence(places: Places) -> list[dict[str, Any]]:
        if target.task is not Task.BINARY or _MEAN not in target.of:
            return [{} for _ in places[0]]
        means = target.of[_MEAN]
        total = np.broadcast_to(means.mean - mean_square(means), value.shape)[places]
        knowledge = value[places]
        rows = zip(knowledge.tolist(), (total - knowledge).tolist(), total.tolist(), strict=True)
        return [{"knowledge": one, "data": other, "total": both} for one, other, both in rows]

    return Result(value, why, evidence=evidence)


SPEC = Spec(
    about=Measure(
        name="uncertainty.ensemble_variance",
        title="Variance of the ensemble",
        formula="mean of the variance of the members",
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.BINARY, Task.REGRESSION),
    ),
    evidence=Signals,
    compute=ensemble_variance,
    no_value=NOTHING,
    counted=lambda side: counted(side, _STD),
)
