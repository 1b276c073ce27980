"""Volume: how many predictions came, as a multiple of those that are expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.baseline.reference import Reference
from core.measure import Judged, Measure
from detectors.arrival import Volume
from detectors.dispersion import Dispersion, p_value
from detectors.spec import Law, NoParams, Places, Result, Spec, estimable

NO_TIMES = "the reference does not say when its rows came"
NONE_EXPECTED = "no rows are expected"


def _compute(target: Volume, baseline: Volume | None, _params: NoParams) -> Result:
    known = baseline is not None and not baseline.of_reference
    expected = np.broadcast_to(baseline.expected if known and baseline is not None else target.expected, target.n.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, why = estimable(target.n / expected, (np.isnan(expected), NO_TIMES), (expected == 0, NONE_EXPECTED))
        statistic = (target.n - expected) ** 2 / expected
    many = np.broadcast_to(target.windows, value.shape)
    p = np.where(many > 1, p_value(Law(statistic, np.ones_like(value)), Dispersion(target.phi, np.ones_like(value), many)), np.nan)

    def evidence(places: Places) -> list[dict[str, Any]]:
        rows = [{"expected": one} for one in expected[places].tolist()]
        if known:
            return rows
        found = (np.broadcast_to(one, value.shape)[places].tolist() for one in (target.phi, many, p))
        return [
            row | {"phi": phi, "windows": windows} | ({} if np.isnan(chance) else {"p": chance})
            for row, phi, windows, chance in zip(rows, *found, strict=True)
        ]

    return Result(value, why, evidence=evidence)


SPEC: Spec[Volume, NoParams] = Spec(
    about=Measure(
        name="quality.volume",
        title="Volume against expected",
        formula="n / (the rows that are expected)",
        brief="Volume",
        judged=Judged.RATIO,
        compares=True,
        usual_baseline=Reference(),
        sampled=False,
    ),
    evidence=Volume,
    compute=_compute,
    no_value=NONE_EXPECTED,
)
