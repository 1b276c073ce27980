"""Errors, availability against an objective with the error budget that is left, and burn rates over two windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np

from core import duration
from core.block import Floats
from core.contract import Contract
from core.error import ConfigError
from core.measure import Measure
from core.window.tumbling import LONGEST
from detectors.certainty import having
from detectors.interval import wilson
from detectors.serving import STATUS, Statuses
from detectors.spec import NoParams, Places, Result, Spec, estimable

NONE = f"no prediction has `{STATUS}`"
NO_SIGNAL = f"the contract has no signal `{STATUS}`"

Objective = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class AvailabilityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`objective`: the share of predictions that are to be served; with it the evidence has the part of the error budget of a `period` up to the window's end that is left."""

    objective: Objective | None = None
    period: str = "30d"


class BurnParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`objective`: the share of predictions that are to be served. `short`: a span at the end of the window that must burn as fast, such as `5m` of 1 h; null: the window alone."""

    objective: Objective = 0.999
    short: str | None = None


def _whole(written: str, name: str, contract: Contract) -> str:
    """A duration of whole panes that is not longer than windows may be, in its shortest form."""
    length = duration.parse(written)
    if length > LONGEST:
        raise ConfigError(f"`params.{name}: {written}` is too long", remedy=f"at most {duration.text(LONGEST)}")
    if length % contract.pane:
        raise ConfigError(
            f"`params.{name}: {written}` is not made of whole panes of {duration.text(contract.pane)}",
            remedy="write a multiple of that, or make the reference with a shorter `--pane`",
        )
    return duration.text(length)


def _settle_availability(params: AvailabilityParams, contract: Contract) -> AvailabilityParams:
    return AvailabilityParams(params.objective, _whole(params.period, "period", contract))


def _settle_burn(params: BurnParams, contract: Contract) -> BurnParams:
    return BurnParams(params.objective, None if params.short is None else _whole(params.short, "short", contract))


def _share(part: Floats, held: Statuses) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / held.measured)


def burn(held: Statuses, objective: float) -> Floats:
    """How many times faster than the objective allows the error budget is used: (...); 0 where nothing was served.

    Source: Beyer et al. 2018, The Site Reliability Workbook, chapter 5.
    """
    return np.where(held.measured > 0, _share(held.error, held), 0.0) / (1 - objective)


def _rate(part: Callable[[Statuses], Floats], target: Statuses) -> Result:
    shape = target.n.shape
    if not target.known:
        return Result(np.full(shape, np.nan), np.full(shape, NO_SIGNAL, object))
    value, why = estimable(_share(part(target), target), (target.measured == 0, NONE))

    def evidence(places: Places) -> list[dict[str, Any]]:
        counts = (each[places].tolist() for each in (target.measured, target.error))
        return [{"measured": int(all_), "errors": int(bad)} for all_, bad in zip(*counts, strict=True)]

    return Result(value, why, lambda phi: wilson(value, target.measured / phi), evidence=evidence)


def _error_rate(target: Statuses, _baseline: Statuses | None, _params: NoParams) -> Result:
    return _rate(lambda side: side.error, target)


def _availability(target: Statuses, _baseline: Statuses | None, params: AvailabilityParams) -> Result:
    found, objective = _rate(lambda side: side.ok, target), params.objective
    if objective is None or not target.earlier or found.evidence is None:
        return found
    own, (period,) = found.evidence, target.earlier

    def evidence(places: Places) -> list[dict[str, Any]]:
        now, used = (burn(side, objective)[places].tolist() for side in (target, period))
        return [
            {**counts, "objective": objective, "period": params.period, "burn_rate": rate, "budget_left": 1 - spent}
            for counts, rate, spent in zip(own(places), now, used, strict=True)
        ]

    return Result(found.value, found.why, found.interval, evidence=evidence)


def _burn_rate(target: Statuses, _baseline: Statuses | None, params: BurnParams) -> Result:
    """The burn rate over the window, or over its last `short` part if that is lower."""
    found, spans = _rate(lambda side: side.error, target), (target, *target.earlier)
    rates = np.stack([burn(side, params.objective) for side in spans])
    own = found.evidence

    def evidence(places: Places) -> list[dict[str, Any]]:
        each = zip(*(rate[places].tolist() for rate in rates), strict=True)
        counts = [{} for _ in places[0]] if own is None else own(places)
        named = [dict(zip(("long", "short"), pair, strict=False)) for pair in each]
        return [{**one, "objective": params.objective, **rate} for one, rate in zip(counts, named, strict=True)]

    return Result(np.where(np.isnan(found.value), np.nan, rates.min(0)), found.why, evidence=evidence)


def _counted(side: Statuses) -> Floats:
    return having(side.measured, side.n)


SPECS = (
    Spec(
        about=Measure(name="service.error_rate", title="Error rate", formula="status `error` / (`ok` + `error`)", unit="share", better=-1),
        evidence=Statuses,
        compute=_error_rate,
        no_value=NONE,
        counted=_counted,
    ),
    Spec(
        about=Measure(name="service.availability", title="Availability", formula="status `ok` / (`ok` + `error`)", unit="share", better=1),
        evidence=Statuses,
        compute=_availability,
        no_value=NONE,
        params=AvailabilityParams,
        settle=_settle_availability,
        counted=_counted,
        ending=lambda params: () if params.objective is None else (duration.parse(params.period),),
    ),
    Spec(
        about=Measure(
            name="service.burn_rate",
            title="Burn rate of the error budget",
            brief="Burn rate",
            formula="error rate / (1 - objective), the least of the window and of its last `short` part",
            unit="times",
            better=-1,
        ),
        evidence=Statuses,
        compute=_burn_rate,
        no_value=NONE,
        params=BurnParams,
        settle=_settle_burn,
        counted=_counted,
        ending=lambda params: () if params.short is None else (duration.parse(params.short),),
    ),
)
