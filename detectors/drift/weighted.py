"""The drift of all features of a model, weighted by how important they are."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract
from core.error import ConfigError
from core.measure import Subject
from detectors.drift.comparison import about, compared
from detectors.drift.share_drifted import NO_COLUMNS, Level, documents
from detectors.evidence import ColumnDrift
from detectors.spec import Places, Result, Spec


class WeightedParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`weights`: the importance of each feature, such as `{age: 3, income: 1}`; a feature that is not named has 0. A feature counts if its p-value is below `alpha`."""

    weights: dict[str, float] | None = None
    alpha: Level = 0.05


def weights(target: ColumnDrift, given: Mapping[str, float] | None) -> tuple[Floats, str]:
    """The weight of each feature (columns,), and what it comes from: the params, the mean |attribution| in the reference, or nothing, so that all are equal."""
    if given is not None:
        return np.array([given.get(name, 0.0) for name in target.columns]), "params"
    known = target.importance
    if known is not None and np.isfinite(known).all() and known.sum() > 0:
        return known, "attributions"
    return np.ones(len(target.columns)), "equal"


def _compute(target: ColumnDrift, _baseline: ColumnDrift, params: WeightedParams) -> Result:
    given, source = weights(target, params.weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(np.isnan(target.excess), 0.0, given)
        terms = own * np.where((target.p < params.alpha) & (target.excess > 0), target.excess, 0.0)
        value = terms.sum(-1) / own.sum(-1)

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [document | {"weights": source} for document in documents(target, terms, places, weight=given)]

    return Result(value, evidence=evidence)


def _settle(params: WeightedParams, contract: Contract) -> WeightedParams:
    if params.weights is None:
        return params
    names = [column.name for column in contract.features]
    if unknown := [name for name in params.weights if name not in names]:
        raise ConfigError(f"`weights` names {', '.join(unknown)}, which is no feature", remedy=f"features: {', '.join(names)}")
    if not all(isfinite(weight) and weight >= 0 for weight in params.weights.values()) or not sum(params.weights.values()) > 0:
        raise ConfigError("`weights` are no weights", remedy="write numbers of 0 or more, one of them above 0")
    return params


SPEC = Spec(
    about=about(
        "weighted",
        "Weighted drift",
        "sum w e / sum w over features: e is the excess of PSI where it is above 0 and p < alpha, else 0",
        unit="nats",
        subject=Subject.MODEL,
        tested=False,
    ),
    evidence=ColumnDrift,
    compute=compared(_compute),
    no_value=NO_COLUMNS,
    params=WeightedParams,
    settle=_settle,
)
