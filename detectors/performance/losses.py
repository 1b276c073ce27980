"""Means of losses, which panes sum: the specifications of their measures, and their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.evidence import BEFORE, Losses, LossSums, ScoreLosses
from detectors.spec import Places, Result, Spec, estimable

Flags = npt.NDArray[np.bool_]

TOO_LARGE = "errors are too large for a number"
NO_ROWS = "no labelled rows"


def regression(name: str, title: str, formula: str, **more: Any) -> Measure:
    """What a measure of a regression is, of which less is better; `more` are other fields."""
    usual: dict[str, Any] = {"unit": "target units", "judged": Judged.WORSE, "better": -1, "requires": (Need.LABELS,)}
    return Measure(name=f"performance.{name}", title=title, formula=formula, tasks=(Task.REGRESSION,), **usual | more)


def mean(side: LossSums) -> Floats:
    """The mean loss of the rows that have it: (...), NaN without rows."""
    with np.errstate(invalid="ignore"):
        return np.asarray(side.total / side.count)


def of_losses(value: Floats, n: Floats, *sums: LossSums, none: str = NO_ROWS, more: tuple[tuple[Flags, str], ...] = ()) -> Result:
    """A value that is made of some sums, with the reasons why it may be none: `none` where no row has the first loss, and `more` of the measure's own.

    Rows without the first loss are counted in the evidence.
    """
    known = np.logical_and.reduce(np.broadcast_arrays(*(one.known for one in sums)))
    rows = np.asarray(sums[0].count)
    found, why = estimable(value, (~known, BEFORE), (rows == 0, none), *more, (~np.isfinite(value), TOO_LARGE))

    def left_out(places: Places) -> list[dict[str, Any]]:
        return [{"left_out": int(one)} if one else {} for one in np.broadcast_to(n - rows, value.shape)[places].tolist()]

    return Result(found, why, evidence=left_out)


def mean_loss(about: Measure, loss: str, of_mean: Callable[[Floats], Floats] = lambda mean: mean, none: str = NO_ROWS) -> Spec[Losses, Any]:
    """The measure that is a function of the mean of one loss."""

    def compute(target: Losses, _baseline: Losses | None, _params: object) -> Result:
        return of_losses(of_mean(mean(target.of[loss])), target.n, target.of[loss], none=none)

    return Spec(about=about, evidence=Losses, compute=compute, no_value=none)


def mean_score_loss(about: Measure, loss: str, none: str) -> Spec[ScoreLosses, Any]:
    """The measure that is the mean of one loss of scores; `none` says why there is none where no row has it."""

    def compute(target: ScoreLosses, _baseline: ScoreLosses | None, _params: object) -> Result:
        return of_losses(mean(target.of[loss]), target.n, target.of[loss], none=none)

    return Spec(about=about, evidence=ScoreLosses, compute=compute, no_value=none)
