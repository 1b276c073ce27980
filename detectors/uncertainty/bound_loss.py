"""Quantile loss of prediction intervals: the mean cost of bounds that are to be quantiles of the label."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.certainty import having
from detectors.evidence import Losses
from detectors.performance.losses import mean, of_losses
from detectors.performance.quantile_loss import quantile_loss
from detectors.spec import Result, Spec

NOTHING = "no labelled prediction has an interval"
_SHARE = msgspec.Meta(gt=0, lt=1)


class BoundParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: which quantile of the label a bound is to be, the lower one below 0.5 and the upper one above; without it the mean of both bounds is taken, of intervals that are to hold
    the share `level`, by default the contract's.
    """

    q: Annotated[float, _SHARE] | None = None
    level: Annotated[float, _SHARE] | None = None


def _settle(params: BoundParams, contract: Contract) -> BoundParams:
    if params.q == 0.5:
        raise ConfigError(
            "`params.q` is 0.5, and no bound of an interval is to be the median", remedy="`performance.quantile_loss` is of predictions"
        )
    if params.q is not None:
        if params.level is not None:
            raise ConfigError("`params` has both `q` and `level`", remedy="leave one of them out")
        return params
    level = contract.roles.interval[2] if params.level is None and contract.roles.interval else params.level
    if level is None:
        raise ConfigError("the contract does not say which quantiles the bounds are to be", remedy="write for example `params: {q: 0.95}`")
    return BoundParams(level=float(level))


def _quantiles(params: BoundParams) -> tuple[float, ...]:
    """The quantiles that bounds are to be; none where that is not known."""
    if params.q is not None:
        return (params.q,)
    return () if params.level is None else ((1 - params.level) / 2, (1 + params.level) / 2)


def _compute(target: Losses, _baseline: Losses | None, params: BoundParams) -> Result:
    bounds = [("lower" if q < 0.5 else "upper", q) for q in _quantiles(params)]
    if not bounds or "lower_error" not in target.of:
        return Result(np.full(target.n.shape, np.nan))
    sums = [(target.of[f"{bound}_error"], target.of[f"{bound}_absolute"]) for bound, _ in bounds]
    with np.errstate(invalid="ignore"):
        losses = [quantile_loss(mean(error), mean(absolute), q) for (error, absolute), (_, q) in zip(sums, bounds, strict=True)]
        value = np.asarray(sum(losses) / len(losses))
    return of_losses(value, target.n, *(one for both in sums for one in both), none=NOTHING)


def _rows(side: Losses) -> Floats:
    """The labelled rows that have an interval: (...)."""
    return side.of["lower_error"].count if "lower_error" in side.of else np.zeros(side.n.shape)


SPEC: Spec[Losses, BoundParams] = Spec(
    about=Measure(
        name="uncertainty.quantile_loss",
        title="Quantile loss of intervals",
        formula="mean of q (label - bound) where it is above 0, else (1 - q) (bound - label)",
        unit="target units",
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.REGRESSION,),
        requires=(Need.LABELS,),
    ),
    evidence=Losses,
    compute=_compute,
    no_value=NOTHING,
    params=BoundParams,
    settle=_settle,
    counted=lambda side: having(_rows(side), side.n),
)
