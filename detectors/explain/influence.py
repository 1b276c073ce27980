"""The gap of influence: how much more a model owes to a feature than the feature has to do with the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints
from core.contract import Kind
from core.measure import Measure, Need, Subject
from detectors.explain.attributions import MOST, SHOWN, Influence
from detectors.spec import GONE, NoParams, Places, Result, Spec, estimable


def association(feature: Categories | Floats, outcome: Floats, place: Ints, size: int) -> Floats:
    """How strongly a feature goes together with a number, in each of `size` places: 0 to 1, 0 where one of them does not vary. feature, outcome and place (rows,); returns (size,).

    Of a number Pearson's |r|. Of a category the root of epsilon squared, 1 - (SS within / (n - k)) / (SS total / (n - 1)) of k categories, 0 where it is negative: what chance explains of an
    eta squared is taken away (Kelley 1935). Rows without a number on either side are left out.
    """
    there = np.isfinite(outcome) if isinstance(feature, Categories) else np.isfinite(outcome) & np.isfinite(feature)
    held, y = place[there], outcome[there]
    if isinstance(feature, Categories):
        return _of_categories(feature.codes[there].astype(np.int64), feature.texts, y, held, size)
    x = feature[there]
    order = np.lexsort((y, x, held))  # a sum of floats depends on their order, and rows come in any
    held, x, y = held[order], x[order], y[order]
    n = np.maximum(np.bincount(held, minlength=size), 1)
    x, y = (one - (np.bincount(held, one, size) / n)[held] for one in (x, y))
    both, own, other = (np.asarray(np.bincount(held, one, size), np.float64) for one in (x * y, x * x, y * y))
    varies = _varies(own, held, x, size) & _varies(other, held, y, size)
    return np.asarray(np.minimum(np.abs(np.divide(both, np.sqrt(own * other), out=np.zeros(size), where=varies)), 1.0))


def _varies(squares: Floats, held: Ints, centred: Floats, size: int) -> npt.NDArray[np.bool_]:
    """Where an amount varies by more than rounding."""
    largest = np.zeros(size)
    np.maximum.at(largest, held, np.abs(centred))
    return np.asarray((squares > 0) & (largest > 1e-12), np.bool_)


def _of_categories(code: Ints, texts: Sequence[str], y: Floats, held: Ints, size: int) -> Floats:
    """Only categories of rows of a place take memory: texts may be as many as rows. They go in the order of texts, and not in that in which they came, on which sums of floats would depend."""
    rank = np.empty(len(texts), np.int64)
    rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    code = rank[code]
    order = np.lexsort((y, code, held))
    code, y, held = code[order], y[order], held[order]
    n = np.bincount(held, minlength=size)
    y = y - (np.bincount(held, y, size) / np.maximum(n, 1))[held]
    first = np.diff(held, prepend=-1).astype(np.bool_) | np.diff(code, prepend=-1).astype(np.bool_)
    key = np.cumsum(first) - 1
    apart = y - (np.bincount(key, y) / np.maximum(np.bincount(key), 1))[key]
    many = np.bincount(held[first], minlength=size)
    within, total = (np.asarray(np.bincount(held, one * one, size), np.float64) for one in (apart, y))
    known = (n > many) & (many > 1) & _varies(total, held, y, size)
    left = np.divide(within * (n - 1), total * (n - many), out=np.ones(size), where=known)
    return np.asarray(np.sqrt(np.maximum(1 - left, 0.0)))


def _compute(target: Influence, _baseline: Influence | None, _params: NoParams) -> Result:
    shape, attributed = target.n.shape, target.attributions
    if target.place < 0:
        return Result(*estimable(np.full(shape, np.nan), (np.ones(shape, np.bool_), "the contract has no attribution of the feature")))
    with np.errstate(invalid="ignore"):
        deserved = target.association / target.association.sum(-1, keepdims=True)
    gap = attributed.share - deserved
    value, why = estimable(
        np.asarray(gap[..., target.place]),
        (target.large, f"the window has more than {MOST:,} labelled rows, which are read for this measure: take a shorter window"),
        (np.asarray(target.read < target.n, np.bool_), GONE),
        (np.asarray(np.isnan(attributed.share).any(-1), np.bool_), "no prediction has an attribution that is not 0"),
        (np.asarray(np.isnan(deserved).any(-1), np.bool_), "no feature goes together with the outcome"),
    )

    def evidence(places: Places) -> list[dict[str, Any]]:
        rows = zip(*(np.broadcast_to(one, gap.shape)[places] for one in (gap, attributed.share, deserved, target.association)), strict=True)
        return [_document(attributed.features, target.place, *row) for row in rows]

    return Result(value, why, evidence=evidence)


def _document(features: tuple[str, ...], place: int, gap: Floats, share: Floats, deserved: Floats, strength: Floats) -> dict[str, Any]:
    """The shares of the feature itself, and the features with the widest gaps."""
    order = np.argsort(-np.abs(gap), kind="stable")[:SHOWN]
    return {
        "share": float(share[place]),
        "association_share": float(deserved[place]),
        "association": float(strength[place]),
        "features": [{"feature": features[one], "gap": float(gap[one])} for one in order.tolist()],
    }


SPEC: Spec[Influence, NoParams] = Spec(
    about=Measure(
        name="explain.influence_gap",
        title="Gap of influence",
        formula="share of mean |attribution| - share of association with the outcome",
        unit="share",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.NUMERIC, Kind.CATEGORICAL),
        requires=(Need.LABELS,),
    ),
    evidence=Influence,
    compute=_compute,
    no_value="no attributions",
)
