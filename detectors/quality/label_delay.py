"""Label delay: a quantile of the time from a prediction to its label."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.measure import Measure, Need
from detectors.evidence import Delays
from detectors.spec import Places, Result, Spec, estimable

NO_LABELS = "no labels"


class DelayParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: which quantile, 0.5 being the median."""

    q: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5


def quantile(counts: Floats, sums: Floats, q: float) -> Floats:
    """The mean of the bin that holds the quantile (`inverted_cdf`): counts and sums (..., bins) give (...), NaN without rows. It is within the width of the bin."""
    if not counts.shape[-1]:
        return np.full(counts.shape[:-1], np.nan)
    rank = np.maximum(np.ceil(q * counts.sum(-1)), 1)
    place = np.argmax(np.cumsum(counts, axis=-1) >= rank[..., None], axis=-1)[..., None]
    with np.errstate(invalid="ignore"):
        return np.asarray((np.take_along_axis(sums, place, axis=-1) / np.take_along_axis(counts, place, axis=-1))[..., 0])


def _compute(target: Delays, _baseline: Delays | None, params: DelayParams) -> Result:
    found = quantile(target.counts, target.sums, params.q)
    value, why = estimable(found, (target.n == 0, NO_LABELS), (target.counts.sum(-1) < target.n, target.unknown))

    def evidence(places: Places) -> list[dict[str, Any]]:
        mean = target.sums.sum(-1)[places] / target.counts.sum(-1)[places]
        return [{"mean": one} for one in mean.tolist()]

    return Result(value, why, evidence=evidence)


SPEC = Spec(
    about=Measure(
        name="quality.label_delay",
        title="Label delay",
        formula="a quantile of label ts - prediction ts",
        unit="s",
        better=-1,
        requires=(Need.LABELS,),
    ),
    evidence=Delays,
    compute=_compute,
    no_value=NO_LABELS,
    params=DelayParams,
)
