"""The share of a model's features that have drifted."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.measure import Subject
from detectors.contribution import MOST
from detectors.drift.comparison import about, compared
from detectors.evidence import ColumnDrift
from detectors.spec import Places, Result, Spec

NO_COLUMNS = "no feature has a value"
Level = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class ShareParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature has drifted if its excess of PSI is `floor` or more and its p-value is below `alpha`."""

    floor: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    alpha: Level = 0.05


def drifted(target: ColumnDrift, floor: float, alpha: float) -> tuple[Floats, Floats]:
    """1 where a feature has drifted and 0 where not, NaN where it has no value (..., columns); and their mean, NaN where no feature has a value (...)."""
    with np.errstate(invalid="ignore"):
        moved = np.where(np.isnan(target.excess), np.nan, (target.excess >= floor) & (target.p < alpha))
        return moved, np.asarray(np.nansum(moved, -1) / (~np.isnan(moved)).sum(-1))


def documents(target: ColumnDrift, terms: Floats, places: Places, **more: Floats) -> list[dict[str, Any]]:
    """The evidence of some places: the features with the largest `terms` (..., columns), with their part of the sum, and the feature that has drifted most.

    `more` are other numbers of each feature (..., columns). Features without a value are counted as `without_value`.
    """
    numbers = {"excess": target.excess, "p": target.p, **more}
    excess, sums = np.nan_to_num(target.excess[places], nan=-np.inf), np.nan_to_num(np.broadcast_to(terms, target.excess.shape)[places])
    held = {name: np.broadcast_to(values, target.excess.shape)[places].tolist() for name, values in numbers.items()}

    def of(row: int, column: int) -> dict[str, Any]:
        found = {name: values[row][column] for name, values in held.items()}
        return {"column": target.columns[column]} | {name: number for name, number in found.items() if number == number}  # NaN is left out

    found = []
    for row, order in enumerate(np.lexsort((-excess, -sums), axis=-1).tolist()):
        total = float(sums[row].sum())
        parts = [of(row, column) | {"share": float(sums[row, column]) / total} for column in order[:MOST] if sums[row, column] > 0]
        document: dict[str, Any] = {"contributions": parts, "largest": of(row, int(np.argmax(excess[row])))}
        without = int((excess[row] == -np.inf).sum())
        found.append(document | ({"without_value": without} if without else {}))
    return found


def _compute(target: ColumnDrift, _baseline: ColumnDrift, params: ShareParams) -> Result:
    moved, share = drifted(target, params.floor, params.alpha)
    return Result(share, evidence=lambda places: documents(target, moved, places))


SPEC = Spec(
    about=about(
        "share_drifted",
        "Share of drifted columns",
        "(features whose PSI has an excess >= floor and p < alpha) / features",
        "Drifted columns",
        unit="share",
        subject=Subject.MODEL,
        tested=False,
    ),
    evidence=ColumnDrift,
    compute=compared(_compute),
    no_value=NO_COLUMNS,
    params=ShareParams,
)
