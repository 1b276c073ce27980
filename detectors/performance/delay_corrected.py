"""Performance before all labels are there: labels that came stand for those of their class that are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from core import moment
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.compare.difference import Of
from detectors.late_labels import ENOUGH, LEAST, LateLabels, Made
from detectors.spec import AnySpec, Places, Result, Spec, estimable

DELAY_CORRECTED = "performance.delay_corrected"
_SHOWN = 8  # classes whose chance is told
_UNKNOWN = f"fewer than {ENOUGH} labels tell how late labels come: take a longer `learn`; panes of earlier versions do not tell it until `watchkeeper rebuild`"
_YOUNG = f"labels of some class have a chance below {LEAST:.0%} to have come"


class DelayCorrectedParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params: the measure `of` which it is, accuracy or the mean absolute error where none is named; the days before the end of a window whose labels tell how late labels come (`learn`); `better` is that of the measure."""

    of: str | dict[str, Any] | None = None
    learn: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30
    better: Literal["less", "more"] | None = None

    @property
    def corrected(self) -> Of:
        """The measure, with its params."""
        return msgspec.convert(self.of, Of) if isinstance(self.of, dict) else Of(self.of or "")


def delay_corrected(measures: Mapping[str, AnySpec]) -> AnySpec:
    """The measure, `of` any of these, which take weights. Each label counts by one over the chance of a label of its class to have come by its age."""

    def compute(target: LateLabels, _baseline: LateLabels | None, params: DelayCorrectedParams) -> Result:
        of = params.corrected
        spec, given = measures[of.measure], {**of.params, "weighted": True}
        made = target.make(spec.reads(given), target.earlier[0].arrivals() if target.earlier else None)
        return _told(spec.compute(made.of, None, msgspec.convert(given, spec.params)), made, target)

    about = Measure(
        name=DELAY_CORRECTED,
        title="Corrected for labels to come",
        brief="Corrected",
        formula="the measure of labelled rows, each weighted by 1 / the chance of its class's labels to have come by its age",
        judged=Judged.WORSE,
        better=1,
        requires=(Need.LABELS,),
    )
    return Spec(
        about=about,
        evidence=LateLabels,
        compute=compute,
        no_value="the measure has no value",
        params=DelayCorrectedParams,
        settle=lambda params, contract: _settled(params, contract, measures),
        ending=lambda params: (params.learn * moment.DAY,),
        background=True,  # a label teaches how late labels come, so it makes the windows of a month due
    )


def _settled(params: DelayCorrectedParams, contract: Contract, measures: Mapping[str, AnySpec]) -> DelayCorrectedParams:
    """The params with those of the measure filled in; ConfigError if they do not fit the model."""
    usual = "performance.mae" if contract.task is Task.REGRESSION else "performance.accuracy"
    params = msgspec.structs.replace(params, of=usual) if params.of is None else params
    try:
        of = params.corrected
    except msgspec.ValidationError as error:
        raise ConfigError(f"`params.of`: {error}", remedy="write `of: performance.f1`, or `of: {measure: ..., params: {...}}`") from None
    names = {name for name, one in measures.items() if not one.about.signed}
    if of.measure not in names:
        raise ConfigError(f"`{of.measure}` cannot be corrected", remedy="take one of " + ", ".join(sorted(names)))
    spec = measures[of.measure]
    if not spec.about.fits(contract):
        raise ConfigError(f"`{of.measure}` is not for this model", remedy="it is for " + ", ".join(spec.about.tasks) + " models")
    if of.column or "weighted" in of.params:
        raise ConfigError("`params.of` takes no column and no weights", remedy="leave them out")
    try:
        settled = msgspec.to_builtins(spec.settle(msgspec.convert(of.params, spec.params), contract))
    except msgspec.ValidationError as error:
        raise ConfigError(f"`params.of.params`: {error}", remedy=f"write params of `{of.measure}`") from None
    plain = isinstance(params.of, str) and not settled
    better: Literal["less", "more"] = "more" if spec.about.directed(settled).better > 0 else "less"
    return DelayCorrectedParams(of.measure if plain else {"measure": of.measure, "params": settled}, params.learn, better)


def _told(found: Result, made: Made, target: LateLabels) -> Result:
    value, why = estimable(found.value, (made.unknown, _UNKNOWN), ((made.young > 0) & (made.of.effective == 0), _YOUNG))
    own = np.full(value.shape, None, object) if found.why is None else np.broadcast_to(found.why, value.shape)
    said = np.where([one is None for one in why.ravel()], own.ravel(), why.ravel()).reshape(value.shape)

    def evidence(places: Places) -> list[dict[str, Any]]:
        held = (np.broadcast_to(one, value.shape)[places].tolist() for one in (made.of.weight, made.of.effective, made.young, made.as_of))
        shares = np.broadcast_to(made.chance, (*value.shape, made.chance.shape[-1]))[places]
        return [
            {"expected_labels": expected, "effective_rows": rows}
            | ({"too_young": int(young)} if young else {})
            | ({"as_of": moment.text(int(as_of))} if as_of else {})
            | ({"chance": chance} if (chance := _chances(each, target.kinds)) else {})
            for expected, rows, young, as_of, each in zip(*held, shares, strict=True)
        ]

    return replace(found, value=value, why=said, evidence=evidence)


def _chances(each: Any, kinds: tuple[str, ...]) -> dict[str, float]:
    """The shares of labels that came, of the classes of which the most are still to come."""
    told = sorted((share, name) for share, name in zip(each.tolist(), kinds, strict=True) if not np.isnan(share))
    return {name: share for share, name in told[:_SHOWN]}
