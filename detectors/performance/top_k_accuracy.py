"""Top-k accuracy: the share of rows whose label is among the k classes with the highest scores."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import BEFORE, ScoreLosses
from detectors.interval import wilson
from detectors.spec import Places, Result, Spec, estimable

_SINCE = "log"  # a loss that panes have since they have ranks
_NONE = "no labelled row has a score"


class TopParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`k`: among how many classes the label may be."""

    k: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3


def top_k_accuracy(ranks: Floats, k: int) -> Floats:
    """The share of rows with a rank below k, of rows by rank (..., K + 1), whose last are misses for every k: (...), NaN without rows."""
    with np.errstate(invalid="ignore"):
        return np.asarray(ranks[..., :-1][..., :k].sum(-1) / ranks.sum(-1))


def _compute(target: ScoreLosses, _baseline: ScoreLosses | None, params: TopParams) -> Result:
    rows = target.ranks.sum(-1)
    value, why = estimable(top_k_accuracy(target.ranks, params.k), (~target.of[_SINCE].known, BEFORE), (rows == 0, _NONE))

    def left_out(places: Places) -> list[dict[str, Any]]:
        return [{"left_out": int(one)} if one else {} for one in (target.n - rows)[places].tolist()]

    return Result(value, why, lambda phi: wilson(value, rows / phi), evidence=left_out)


SPEC: Spec[ScoreLosses, TopParams] = Spec(
    about=Measure(
        name="performance.top_k_accuracy",
        title="Top-k accuracy",
        formula="rows whose label is among the k classes with the highest scores / n",
        unit="share",
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.MULTICLASS,),
        requires=(Need.LABELS, Need.SCORES),
    ),
    evidence=ScoreLosses,
    compute=_compute,
    no_value=_NONE,
    params=TopParams,
)
