"""Rates of one class, or averages of the rates of all classes."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from core import text
from core.block import Floats
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.evidence import Confusion


class Average(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params of a rate: `class` names a class; without it `average` says how the rates of all classes are averaged.

    By default a binary model uses its positive class, and a multiclass model the `macro` average over the classes in the window's labels or predictions.
    """

    class_: str | int | float | bool | None = msgspec.field(name="class", default=None)
    average: Literal["macro", "micro", "weighted"] | None = None


def settled(params: Average, contract: Contract) -> Average:
    """The params, with the defaults for a contract. ConfigError if they do not fit it."""
    if params.class_ is not None and params.average is not None:
        raise ConfigError("`params.class` and `params.average` exclude each other", remedy="write one of them")
    if params.average is not None:
        return params
    if params.class_ is None:
        return Average(class_=contract.positive) if contract.task == Task.BINARY else Average(average="macro")
    found = Classes.of(contract).find(text.class_of(params.class_, binary=contract.task == Task.BINARY))
    if found is None:
        raise ConfigError(f"`params.class`: there is no class `{params.class_}`", remedy="classes: " + ", ".join(contract.classes))
    return Average(class_=found)


def rate(part: Floats, whole: Floats, target: Confusion, params: Average) -> Floats:
    """Part / whole, from counts by class (..., K) and settled params; (...).

    0/0 is NaN for a single class; in an average it counts as 0, as in scikit-learn. `micro` is the sum of parts divided by the sum of wholes, `weighted`
    weights by labelled rows.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if params.class_ is not None:
            index = target.classes.index(str(params.class_)) if params.class_ in target.classes else None
            return np.full(part.shape[:-1], np.nan) if index is None else np.asarray(part[..., index] / whole[..., index])
        if params.average == "micro":
            return np.asarray(part.sum(-1) / whole.sum(-1))
        weight = target.labelled if params.average == "weighted" else (target.predicted + target.labelled > 0).astype(np.float64)
        each = np.where(whole > 0, part / whole, 0.0)
        return np.asarray((each * weight).sum(-1) / weight.sum(-1))
