"""Measures of weighted rows: each row counts by the weight that its label came with.

Weights are scaled in each place, so that they sum to the effective number of rows, (sum w)^2 / sum w^2 (Kish 1965): values do not depend on the scale, and intervals allow for
weights that differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from core.block import Floats
from detectors.evidence import Confusion, ConfusionMatrix, Losses, ScoreLosses, Scores, unscored
from detectors.labelled_rows import MOST
from detectors.ranked import Ranked
from detectors.spec import GONE, AnySpec, Places, Result, estimable

E = TypeVar("E")


@dataclass(frozen=True)
class Weighted(Generic[E]):
    """The evidence `of` rows with their weights, which sum to `effective` rows (...), and before they were scaled to `weight`; n rows count, of `labelled` ones: each (...).

    `large`: the window has more rows than are read. `gone`: raw events of the window are not there any more.
    """

    n: Floats
    labelled: Floats
    weight: Floats
    effective: Floats
    large: npt.NDArray[np.bool_]
    gone: npt.NDArray[np.bool_]
    of: E

    @property
    def empty(self) -> npt.NDArray[np.object_]:
        """Why there are none (...): labelled rows may have no score."""
        return unscored(self.labelled)


@dataclass(frozen=True)
class WeightedCells(Weighted[ConfusionMatrix]):
    """Rows by predicted class and label."""


@dataclass(frozen=True)
class WeightedLosses(Weighted[Losses]):
    """Losses of labelled rows."""


@dataclass(frozen=True)
class WeightedScoreLosses(Weighted[ScoreLosses]):
    """Losses of scores."""


@dataclass(frozen=True)
class WeightedRanked(Weighted[Ranked]):
    """Rows in order of their scores."""


@dataclass(frozen=True)
class WeightedScores(Weighted[Scores]):
    """Areas under ROC curves."""


WEIGHTED: Mapping[type[Any], type[Weighted[Any]]] = {
    Confusion: WeightedCells,
    ConfusionMatrix: WeightedCells,
    Losses: WeightedLosses,
    ScoreLosses: WeightedScoreLosses,
    Ranked: WeightedRanked,
    Scores: WeightedScores,
}


def weighted(spec: AnySpec) -> AnySpec:
    """The measure, which with `params.weighted` counts rows by their weights; n stays their number."""
    options = {"frozen": True, "forbid_unknown_fields": True, "omit_defaults": spec.params.__struct_config__.omit_defaults}
    params = msgspec.defstruct(
        f"{spec.params.__name__}OrWeighted", [("weighted", bool | UnsetType, UNSET)], bases=(spec.params,), **options
    )
    params.__doc__ = f"{spec.params.__doc__}\n\n`weighted`: rows count by the weight of their label."

    def compute(target: Any, baseline: Any, params: Any) -> Result:
        if not isinstance(target, Weighted):
            return spec.compute(target, baseline, params)
        return _told(spec.compute(target.of, None, params), target)

    return replace(spec, compute=compute, params=cast("Any", params), of_weights=WEIGHTED)


def _told(found: Result, target: Weighted[Any]) -> Result:
    value, why = estimable(
        found.value,
        (target.large, f"the window has more than {MOST:,} labelled rows, which are read for their weights: take a shorter window"),
        (target.gone, GONE),
        ((target.n > 0) & (target.effective == 0), "all weights are 0"),
    )
    own = np.full(value.shape, None, object) if found.why is None else np.broadcast_to(found.why, value.shape)

    def evidence(places: Places) -> list[dict[str, Any]]:
        held = (np.broadcast_to(one, value.shape)[places].tolist() for one in (target.weight, target.effective))
        return [{"weight": weight, "effective_rows": rows} for weight, rows in zip(*held, strict=True)]

    return replace(
        found,
        value=value,
        why=np.where([one is None for one in why.ravel()], own.ravel(), why.ravel()).reshape(value.shape),
        evidence=evidence,
    )
