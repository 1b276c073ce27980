"""Drift of attributions: whether the features that matter most to a model still do."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.baseline.reference import Reference
from core.block import Floats
from core.measure import Measure
from detectors.explain.attributions import SHOWN, Attributions
from detectors.spec import NoParams, Places, Result, Spec, estimable


def ndcg(now: Floats, before: Floats) -> Floats:
    """How well the ranking of features now fits what they mattered before, 1 for the same order: (..., features) each, returns (...).

    DCG = sum over features, ranked by `now`, of before / log2(rank + 1), over the DCG of the ranking by `before`; of equal features the first comes first. NaN where `before` is 0 everywhere.
    Source: Jarvelin and Kekalainen 2002; as a measure of attributions in Amazon SageMaker Clarify.
    """
    discount = 1 / np.log2(np.arange(now.shape[-1]) + 2)
    order = np.argsort(-now, axis=-1, kind="stable")
    gained = (np.take_along_axis(np.broadcast_to(before, now.shape), order, -1) * discount).sum(-1)
    best = (-np.sort(-before, axis=-1) * discount).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(gained / best)


def _compute(target: Attributions, baseline: Attributions | None, _params: NoParams) -> Result:
    shape, none = target.n.shape, np.ones(target.n.shape, np.bool_)
    if not target.features:
        return Result(*estimable(np.full(shape, np.nan), (none, "the contract has no signals `@attribution:` of features")))
    if baseline is None:
        return Result(*estimable(np.full(shape, np.nan), (none, "there is no baseline")))
    now, before = (np.broadcast_to(side.share, target.absolute.shape) for side in (target, baseline))
    silent = np.asarray(target.mean.sum(-1) == 0, np.bool_)
    value, why = estimable(
        ndcg(np.nan_to_num(now), np.nan_to_num(before)),
        (silent, "no prediction has an attribution that is not 0"),
        (np.asarray(np.isnan(before).all(-1), np.bool_), "baseline: no prediction has an attribution that is not 0"),
    )

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [
            {"features": shifts(target.features, *rows)}
            for rows in zip(np.nan_to_num(now[places]), np.nan_to_num(before[places]), strict=True)
        ]

    return Result(value, why, evidence=evidence)


def shifts(features: tuple[str, ...], now: Floats, before: Floats) -> list[dict[str, Any]]:
    """The features whose share of attribution moved most, with both shares and ranks: (features,) each."""
    ranks = [np.argsort(np.argsort(-side, kind="stable"), kind="stable") + 1 for side in (now, before)]
    order = np.argsort(-np.abs(now - before), kind="stable")[:SHOWN]
    return [
        {
            "feature": features[place],
            "shift": float(now[place] - before[place]),
            "share": float(now[place]),
            "baseline_share": float(before[place]),
            "rank": int(ranks[0][place]),
            "baseline_rank": int(ranks[1][place]),
        }
        for place in order.tolist()
    ]


SPEC: Spec[Attributions, NoParams] = Spec(
    about=Measure(
        name="explain.attribution_drift",
        title="Agreement of attributions",
        formula="NDCG of features ranked by mean |attribution|, with their mean in the baseline as gain",
        better=1,
        compares=True,
        usual_baseline=Reference(),
    ),
    evidence=Attributions,
    compute=_compute,
    no_value="no attributions",
)
