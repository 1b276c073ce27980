"""Schema changes: columns that events have and the contract has not, that are missing, or that have another type."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.measure import Measure
from detectors.arrival import Schema
from detectors.rate import NO_ROWS
from detectors.spec import NoParams, Places, Result, Spec

_RARE = 1e-6  # chance of so many nulls in a row, by the reference's share
_MOST = 50  # changes that evidence lists


def _compute(target: Schema, _baseline: Schema | None, _params: NoParams) -> Result:
    n = target.n[..., None]
    sent = n - target.null
    with np.errstate(divide="ignore", invalid="ignore"):
        surprising = np.where(np.isnan(target.usual), 0.0, np.power(target.usual, n)) < _RARE
        kinds = {
            "missing": (target.null / n, (sent == 0) & surprising),
            "type": (target.invalid / sent, (sent > 0) & (2 * target.invalid >= sent)),
        }
        new = {name: held / target.n for name, held in target.unknown.items()}
    value = sum(found.sum(-1) for _, found in kinds.values()) + sum((2 * share >= 1).astype(np.int64) for share in new.values())
    value = np.where(target.n > 0, value, np.nan).astype(np.float64)

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [{"changes": _changes(place)[:_MOST]} for place in zip(*(index.tolist() for index in places), strict=True)]

    def _changes(place: tuple[int, ...]) -> list[dict[str, Any]]:
        listed = [
            {"column": target.columns[column], "change": kind, "share": float(share[place][column])}
            for kind, (share, found) in kinds.items()
            for column in np.flatnonzero(found[place]).tolist()
        ]
        listed += [{"column": name, "change": "new", "share": float(share[place])} for name, share in new.items() if 2 * share[place] >= 1]
        return sorted(listed, key=lambda one: one["column"])

    return Result(value, evidence=evidence)


SPEC: Spec[Schema, NoParams] = Spec(
    about=Measure(
        name="quality.schema_changes",
        title="Schema changes",
        formula="columns that half of the rows send and the contract does not have + columns without a value + columns of which half of the values have a wrong type",
        brief="Schema changes",
        unit="columns",
        better=-1,
        of_stream=True,
    ),
    evidence=Schema,
    compute=_compute,
    no_value=NO_ROWS,
)
