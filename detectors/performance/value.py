"""Business value: the mean cost of a row, from a cost for each cell of the confusion table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np

from core import text
from core.block import Floats
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.evidence import ConfusionMatrix
from detectors.performance.average import Average, counts
from detectors.performance.threshold import Threshold, thresholded
from detectors.spec import Result, Spec

_CELLS = ("tp", "fp", "fn", "tn")
_EXAMPLE = 'write for example `{fp: 5, fn: 100}`, or `{costs: {"predicted>label": 5}}`'


class Costs(Threshold, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params: `threshold`; the cost of a row of each cell, by the positive class (`tp`, `fp`, `fn`, `tn`) or by `predicted>label` (`costs`); a cell that is not named costs 0.

    `better` is `more` if they are gains.
    """

    tp: float | None = None
    fp: float | None = None
    fn: float | None = None
    tn: float | None = None
    costs: dict[str, float] | None = None
    better: Literal["less", "more"] = msgspec.field(
        default_factory=lambda: "less"
    )  # a factory, so that it is written where it is the default


def value(target: ConfusionMatrix, params: Costs) -> Floats:
    """Sum cost * rows / rows over the cells: (...), NaN without rows."""
    with np.errstate(invalid="ignore"):
        return np.asarray((_of_cells(target, params.costs) if params.costs is not None else _of_sides(target, params)) / target.n)


def _of_cells(target: ConfusionMatrix, costs: Mapping[str, float]) -> Floats:
    """The sum of the costs of the model's own classes (...)."""
    each = np.array([[costs.get(f"{said}>{true}", 0.0) for true in target.known] for said in target.known])
    return np.asarray((target.cells * each).sum((-1, -2)))


def _of_sides(target: ConfusionMatrix, params: Costs) -> Floats:
    """The sum of the costs by the positive class (...)."""
    if target.positive is None:
        return np.full(target.n.shape, np.nan)
    sides = (params.tp, target.right), (params.fp, target.wrongly), (params.fn, target.missed), (params.tn, target.rejected)
    return np.asarray(sum((cost or 0.0) * rows[..., target.positive] for cost, rows in sides))


def _settled(params: Costs, contract: Contract) -> Costs:
    """The params with the costs of all four cells, or of pairs of classes as the contract has them. ConfigError if they do not fit it."""
    named = {name: cost for name in _CELLS if (cost := getattr(params, name)) is not None}
    if bool(named) == bool(params.costs) or (named and params.costs is not None):
        raise ConfigError("`params` must have costs, either by `tp`, `fp`, `fn` and `tn`, or as `costs`", remedy=_EXAMPLE)
    if named and contract.task != Task.BINARY:
        raise ConfigError(f"`params.{next(iter(named))}` is for a binary model", remedy='write `{costs: {"predicted>label": 5}}`')
    if not all(math.isfinite(cost) for cost in (*named.values(), *(params.costs or {}).values())):
        raise ConfigError("`params`: a cost is no finite number", remedy=_EXAMPLE)
    if params.costs is None:
        return msgspec.structs.replace(params, **dict.fromkeys(_CELLS, 0.0) | named)
    cells = [(name, _cell(name, contract)) for name in params.costs]
    if twice := next((name for at, (name, cell) in enumerate(cells) if cell in [other for _, other in cells[:at]]), None):
        raise ConfigError(f"`params.costs`: `{twice}` is there twice, in two spellings", remedy="write it once")
    return msgspec.structs.replace(params, costs={cell: params.costs[name] for name, cell in cells})


def _cell(written: str, contract: Contract) -> str:
    """The cell `predicted>label` that is written, by the contract's classes, in which `>` may occur."""
    known, binary = Classes.of(contract), contract.task == Task.BINARY
    parts = written.split(">")
    for place in range(1, len(parts)):
        sides = (">".join(parts[:place]), ">".join(parts[place:]))
        found = [known.find(text.class_of(side.strip(), binary=binary)) for side in sides]
        if found[0] is not None and found[1] is not None:
            return f"{found[0]}>{found[1]}"
    raise ConfigError(f"`params.costs`: `{written}` is no `predicted>label`", remedy="classes: " + ", ".join(contract.classes))


def _compute(target: ConfusionMatrix, _baseline: ConfusionMatrix | None, params: Costs) -> Result:
    return Result(value(target, params), evidence=counts(target, Average()))


SPEC: Spec[ConfusionMatrix, Costs] = thresholded(
    Spec(
        about=Measure(
            name="performance.value",
            title="Value",
            formula="sum of costs / n",
            unit="cost a row",
            judged=Judged.WORSE,
            better=-1,
            tasks=(Task.BINARY, Task.MULTICLASS),
            requires=(Need.LABELS,),
        ),
        evidence=ConfusionMatrix,
        compute=_compute,
        no_value="no labelled rows",
        params=Costs,
        settle=_settled,
    )
)
