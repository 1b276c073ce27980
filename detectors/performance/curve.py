"""Measures of the order of scores beside ROC AUC: average precision and lift; of one class, or the plain mean over the classes that some row has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from scipy.special import psi

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.ranked import Ranked, ScoreCells
from detectors.spec import NoParams, Places, Result, Spec

Curve = Callable[[ScoreCells, int], tuple[Floats, Floats]]
"""Gives a value for each of some places (NaN where no row has the class), and how far it may be from that of the rows."""


class ShareParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`share`: which part of the rows, those with the highest scores, is compared with all."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1


def average_precision(cells: ScoreCells, places: int) -> tuple[Floats, Floats]:
    """The sum over thresholds of precision times the recall that each adds, rows of one score together, as in scikit-learn.

    The order of the rows of a score bin is not known: the value is the middle between all positives first and all negatives first.
    """
    p, n = cells.positive, cells.negative
    above, wrong = cells.before(p), cells.before(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        together = p * (above + p) / (above + wrong + p + n)
        first = p - wrong * (psi(above + wrong + p + 1) - psi(above + wrong + 1))
        last = p - (wrong + n) * (psi(above + wrong + n + p + 1) - psi(above + wrong + n + 1))
        total = cells.total(p, places)
        value = cells.total(np.where(cells.exact, together, (first + last) / 2), places) / total
        return value, cells.total(np.where(cells.exact, 0.0, (first - last) / 2), places) / total


def lift(cells: ScoreCells, places: int, share: float) -> tuple[Floats, Floats]:
    """The share of positives among the rows with the highest scores, over that among all rows. These are a share of the rows, rounded up; rows of one score count in proportion."""
    p, n = cells.positive, cells.negative
    rows, total = cells.total(p + n, places), cells.total(p, places)
    wanted = np.ceil(np.round(share * rows, 9))
    with np.errstate(invalid="ignore", divide="ignore"):
        taken = np.clip(wanted[cells.place] - cells.before(p + n), 0.0, p + n)
        found = p * taken / (p + n)
        far = np.maximum(np.minimum(p, taken) - found, found - np.maximum(0.0, taken - n))
        scale = rows / (wanted * total)
        return cells.total(found, places) * scale, cells.total(np.where(cells.exact, 0.0, far), places) * scale


def _result(target: Ranked, curve: Curve) -> Result:
    """The mean of a curve over the classes that some row has."""
    shape = target.n.shape
    each = [curve(cells, target.n.size) for cells in target.cells]
    value, bound = (np.stack([np.full(target.n.size, np.nan), *(one[side] for one in each)]) for side in (0, 1))
    have = ~np.isnan(value)
    with np.errstate(invalid="ignore"):
        mean, far = ((np.where(have, one, 0.0).sum(0) / have.sum(0)).reshape(shape) for one in (value, bound))

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [{"bound": one} if one else {} for one in far[places].tolist()]

    return Result(mean, evidence=evidence)


def _about(name: str, title: str, formula: str, unit: str) -> Measure:
    return Measure(
        name=f"performance.{name}",
        title=title,
        formula=formula,
        unit=unit,
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS, Need.SCORES),
    )


_NONE = "no row with a score has the class"

PR_AUC: Spec[Ranked, NoParams] = Spec(
    about=_about("pr_auc", "Average precision", "sum over thresholds of precision * added recall", "area"),
    evidence=Ranked,
    compute=lambda target, _baseline, _params: _result(target, average_precision),
    no_value=_NONE,
)
LIFT: Spec[Ranked, ShareParams] = Spec(
    about=_about("lift_at_k", "Lift", "share of positives among the rows with the highest scores / that of all rows", ""),
    evidence=Ranked,
    compute=lambda target, _baseline, params: _result(target, lambda cells, places: lift(cells, places, params.share)),
    no_value=_NONE,
    params=ShareParams,
)
SPECS = (PR_AUC, LIFT)
