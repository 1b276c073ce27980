"""Whether attributions keep their ranking, and whether a model leans on a feature (docs/measures.md). Plainly, place by place."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from tests.oracle.bins import NumericBins
from tests.oracle.found import NOTHING, Asked, Found, Lookup, earlier
from tests.oracle.rows import Rows

DRIFT, GAP = MEASURES = ("explain.attribution_drift", "explain.influence_gap")
Numbers = npt.NDArray[np.float64]


def lookup(asked: Asked) -> Lookup:
    """What a measure of attributions has."""
    return _drift(asked) if asked.monitor["measure"] == DRIFT else _gap(asked)


def features(rows: Rows) -> list[str]:
    """The features that have attributions, in the order of the contract."""
    return [name for name in rows.spec.watched(rows.reference) if f"{rows.spec.attribution_prefix}{name}" in rows.reference]


def sizes(rows: Rows, held: npt.NDArray[np.int64]) -> Numbers:
    """The mean |attribution| of each feature."""
    each = (np.abs(rows.values(f"@attribution:{name}")[held]) for name in features(rows))
    return np.array([float(one[np.isfinite(one)].mean()) if np.isfinite(one).any() else 0.0 for one in each])


def _drift(asked: Asked) -> Lookup:
    monitor, _, whole, live, grouping, length, every, _ = asked
    against = monitor.get("baseline", "reference")

    def members(rows: Rows, place: tuple[int, str], span: int) -> npt.NDArray[np.int64]:
        return rows.members(grouping, span, every if span else 0, False).get(place, np.zeros(0, np.int64))

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        rows, place, span = (
            (whole, (0, segment), 0) if against == "reference" else (live, (start - earlier(against, length), segment), length)
        )
        held, before = members(live, (start, segment), length), members(rows, place, span)
        now, was = sizes(live, held), sizes(rows, before)
        discount = np.log2(np.arange(len(now)) + 2)
        best = float((np.sort(was)[::-1] / discount).sum())
        value = float((was[np.argsort(-now, kind="stable")] / discount).sum()) / best if now.sum() and best else None
        return Found(value, len(held)), Found(None, len(before))

    return find


def _gap(asked: Asked) -> Lookup:
    _, column, _, live, grouping, length, every, _ = asked

    @cache
    def found(start: int, segment: str) -> tuple[dict[str, float], int]:
        held = live.groups(grouping, length, every).get((start, segment), np.zeros(0, np.int64))
        outcome = (live.outcomes().label[held] == live.spec.positive).astype(float)
        names, every_row = features(live), live.members(grouping, length, every, False).get((start, segment), np.zeros(0, np.int64))
        strength = np.array([_strength(live, name, held, outcome) for name in names])
        share = sizes(live, every_row)
        if not len(held) or not strength.sum() or not share.sum():
            return {}, len(held)
        return dict(zip(names, (share / share.sum() - strength / strength.sum()).tolist(), strict=True)), len(held)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        values, n = found(start, segment)
        return (Found(values.get(column), n) if n else NOTHING), None

    return find


def _strength(rows: Rows, name: str, held: npt.NDArray[np.int64], outcome: Numbers) -> float:
    """|r| of a number, the root of epsilon squared of a category; 0 where nothing varies."""
    values = rows.values(name)[held]
    if isinstance(rows.binned(name)[0], NumericBins):
        there = np.isfinite(values.astype(float))
        x, y = values[there].astype(float), outcome[there]
        return abs(float(np.corrcoef(x, y)[0, 1])) if len(x) and np.ptp(x) and np.ptp(y) else 0.0
    groups = [outcome[values == one] for one in set(values.tolist())]
    n, k, total = len(outcome), len(groups), float(((outcome - outcome.mean()) ** 2).sum()) if len(outcome) else 0.0
    if k < 2 or n <= k or not total:
        return 0.0
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in groups)
    return float(np.sqrt(max(0.0, 1 - within / (n - k) / (total / (n - 1)))))
