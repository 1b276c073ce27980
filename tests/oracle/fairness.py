"""Fairness of groups: each measure from the rows of every group, with loops over groups and pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle import reliability
from tests.oracle.found import NOTHING, Asked, Found, Lookup, earlier
from tests.oracle.rows import Rows
from tests.oracle.spec import Spec

_OF_PREDICTIONS = {
    "fairness.selection_rate",
    "fairness.demographic_parity_difference",
    "fairness.demographic_parity_ratio",
    "fairness.mean_prediction_gap",
    "fairness.conditional_demographic_disparity",
}

LESS_IS_BETTER = {
    f"fairness.{name}"
    for name in [
        "demographic_parity_difference",
        "equal_opportunity_difference",
        "equalized_odds_difference",
        "average_odds_difference",
        "predictive_parity_difference",
        "fpr_parity",
        "fnr_parity",
        "fdr_parity",
        "for_parity",
        "accuracy_parity",
        "treatment_equality",
        "mean_prediction_gap",
        "error_gap",
        "calibration_gap",
        "conditional_demographic_disparity",
    ]
}

Flags = npt.NDArray[np.bool_]
Interval = tuple[float, float]


class Side(NamedTuple):
    """Rows of some people: how many of `whole` are counted, or the numbers whose mean is taken."""

    counted: float
    whole: float
    numbers: tuple[float, ...] = ()
    odds: bool = False

    @property
    def value(self) -> float:
        """NaN for 0/0."""
        return self.counted / self.whole if self.whole else math.nan

    def interval(self, z: float) -> Interval:
        """Wilson's of a share, that of odds by it; the normal one of a mean."""
        if self.numbers:
            half = z * math.sqrt(np.var(self.numbers, ddof=1) / len(self.numbers)) if len(self.numbers) > 1 else math.nan
            return self.value - half, self.value + half
        n = self.counted + self.whole if self.odds else self.whole
        p = self.counted / n
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))
        return (low / (1 - low), high / (1 - high)) if self.odds else (low, high)


def attributes(monitor: Mapping[str, Any], spec: Spec) -> list[str]:
    """The attributes of a monitor."""
    return list(monitor.get("attributes") or spec.protected)


def lookup(asked: Asked) -> Lookup:
    """The gap between the groups of an attribute, and that of the reference or of an earlier window."""
    monitor, attribute, whole, live, grouping, length, every, _ = asked
    against = monitor.get("baseline")
    here, there = _within(monitor, attribute, live, grouping, length, every), _within(monitor, attribute, whole, grouping, 0, 0)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        if against is None:
            return here(start, segment), None
        return here(start, segment), there(0, segment) if against == "reference" else here(start - earlier(against, length), segment)

    return find


def _within(
    monitor: Mapping[str, Any], attribute: str, rows: Rows, grouping: tuple[str, ...], length: int, every: int
) -> Callable[[int, str], Found]:
    """What a measure has in a window and segment; `length` 0 is one window, 0."""
    measure, params = monitor["measure"], {"reference": "best_worst", "min_group": 30, **monitor.get("params", {})}
    groups, labelled = rows.segments[tuple(attribute.split("*"))], measure not in _OF_PREDICTIONS
    places = rows.members(grouping, length, every, labelled)
    positive = str(params.get("positive", rows.spec.positive))

    def find(start: int, segment: str) -> Found:
        held = places.get((start, segment), np.zeros(0, np.int64))
        if not len(held):
            return NOTHING
        if measure == "fairness.selection_rate":
            side = _sides(measure, rows, held, positive, params.get("threshold"))[0]
            few = len(held) < params["min_group"]
            return Found(None, len(held), few=True) if few else Found(side.value, len(held), *side.interval(1.959963984540054))
        if measure == "fairness.conditional_demographic_disparity":
            return _disparity(rows.outcomes().prediction[held] == positive, groups[held], params)._replace(n=len(held))
        by_group = {
            name: _sides(measure, rows, held[groups[held] == name], positive, params.get("threshold")) for name in sorted({*groups[held]})
        }
        enough = {name for name in by_group if (groups[held] == name).sum() >= params["min_group"]}
        kept = {name: sides for name, sides in by_group.items() if name in enough and not any(math.isnan(side.value) for side in sides)}
        reference = params["reference"]
        if len(kept) < 2 or ("=" in reference and reference not in kept):
            return Found(None, len(held), few=True)
        return _gap(measure, kept, by_group, reference)._replace(n=len(held))

    return find


def _gap(measure: str, kept: Mapping[str, Sequence[Side]], every: Mapping[str, Sequence[Side]], reference: str) -> Found:
    """The gap of each rate, and their largest or mean."""
    many, ratio = len(next(iter(kept.values()))), measure.endswith("_ratio")
    found = [
        _one({name: sides[at] for name, sides in kept.items()}, [sides[at] for sides in every.values()], reference, many, ratio=ratio)
        for at in range(many)
    ]
    combine = (lambda parts: float(np.mean(parts))) if measure == "fairness.average_odds_difference" else max
    value, lower, upper = (combine([one[at] for one in found]) for at in range(3))
    return Found(None, 0) if math.isnan(value) else Found(value, 0, _number(lower), _number(upper))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _one(sides: Mapping[str, Side], every: Sequence[Side], reference: str, many: int, *, ratio: bool) -> tuple[float, float, float]:
    values = {name: side.value for name, side in sides.items()}
    if reference in {"best_worst", "best"}:
        z = _tukey(len(sides), many)
        pairs = [(sides[one], sides[other], 0.0) for one, other in permutations(sides, 2)]
        gaps = [(one.value, other.value) for one, other, _ in pairs]
    else:
        overall = reference == "overall"
        z = float(stats.norm.ppf(1 - 0.05 / (2 * (len(sides) - (not overall)) * many)))
        own = _sum(every) if overall else sides[reference]
        others = [(name, side) for name, side in sides.items() if name != reference]
        gaps = [pair for name, _ in others for pair in ((values[name], own.value), (own.value, values[name]))]
        pairs = [
            pair
            for _, side in others
            for rest, share in [(_less(own, side), side.whole / own.whole) if overall else (own, 0.0)]
            for pair in ((side, rest, share), (rest, side, -share))
        ]
    bounds = [(_ratio if ratio else _difference)(one, other, z, share) for one, other, share in pairs]
    lows, highs = zip(*bounds, strict=True)
    if ratio:
        ratios = [one / other for one, other in gaps if one <= other and other]  # two groups of 0 are not apart
        return min(ratios, default=math.nan), max(0.0, min(lows)), min(1.0, *highs)
    return max(one - other for one, other in gaps), max(0.0, *lows), max(highs)


def _difference(one: Side, other: Side, z: float, share: float) -> Interval:
    """Newcombe's interval; of a group and all rows, of which it is a share, by that of the group and the rest."""
    (l1, u1), (l2, u2) = one.interval(z), other.interval(z)
    apart = one.value - other.value
    scale = 1 - abs(share)
    return scale * (apart - math.hypot(one.value - l1, u2 - other.value)), scale * (apart + math.hypot(u1 - one.value, other.value - l2))


def _ratio(one: Side, other: Side, z: float, share: float) -> Interval:
    """By Donner and Zou: the ratios r at which the interval of one - r * other just holds 0."""
    (l1, u1), (l2, u2), p, q = one.interval(z), other.interval(z), one.value, other.value

    def root(p_end: float, q_end: float, *, upper: bool) -> float:
        a, b, c = q * q - (q - q_end) ** 2, -2 * p * q, p * p - (p_end - p) ** 2
        if upper and a <= 0:
            return math.inf
        if not upper and c <= 0:
            return 0.0
        deep = math.sqrt(max(0.0, b * b - 4 * a * c))
        return (-b + deep) / (2 * a) if upper else 2 * c / (-b + deep)

    low, high = root(l1, u2, upper=False), root(u1, l2, upper=True)
    if share > 0:
        return tuple(0.0 if not r else 1 / (share + (1 - share) / r) for r in (low, high))  # type: ignore[return-value]
    return (low, high) if not share else (-share + (1 + share) * low, -share + (1 + share) * high)


def _sum(sides: Sequence[Side]) -> Side:
    first = sides[0]
    return Side(sum(one.counted for one in sides), sum(one.whole for one in sides), sum((one.numbers for one in sides), ()), first.odds)


def _less(own: Side, part: Side) -> Side:
    numbers = list(own.numbers)
    for one in part.numbers:
        numbers.remove(one)
    return Side(own.counted - part.counted, own.whole - part.whole, tuple(numbers), own.odds)


@cache
def _tukey(groups: int, many: int) -> float:
    return float(stats.studentized_range.ppf(1 - 0.05 / many, groups, np.inf) / math.sqrt(2))


def _disparity(accepted: Flags, group: npt.NDArray[Any], params: Mapping[str, Any]) -> Found:
    """The largest of the groups' conditional disparities (Wachter, Mittelstadt and Russell 2021), with Bonferroni's interval."""
    parts = [dict(one.split("=") for one in name.split(",")) for name in group]
    stratum = np.array([one.pop(params["by"]) for one in parts])
    own = np.array([",".join(f"{name}={value}" for name, value in one.items()) for one in parts])
    strata = [one for one in sorted({*stratum}) if accepted[stratum == one].any() and not accepted[stratum == one].all()]
    n = sum(int((stratum == one).sum()) for one in strata)
    values, variances = list[float](), list[float]()
    for name in [name for name in sorted({*own}) if (own == name).sum() >= params["min_group"]]:
        value = variance = 0.0
        for one in strata:
            inside = stratum == one
            refused, taken = (own[inside & side] == name for side in (~accepted, accepted))
            value += inside.sum() / n * (refused.mean() - taken.mean())
            variance += (inside.sum() / n) ** 2 * (refused.var() / len(refused) + taken.var() / len(taken))
        values.append(value)
        variances.append(variance)
    if not strata:
        return Found(None, 0)
    if len(values) < 2:
        return Found(None, 0, few=True)
    half = stats.norm.ppf(1 - 0.05 / (2 * len(values))) * np.sqrt(variances)
    return Found(max(values), 0, max(0.0, *(values - half)), max(0.0, *(values + half)))


def _miscalibrated(rows: Rows, held: npt.NDArray[np.int64], positive: str) -> Side:
    """The mean of label - score; for the interval scores are the mean of those in the same bin with the same label."""
    edges = rows.once("edges of scores", lambda: reliability.edges(Rows(rows.reference, rows.reference, rows.spec)))
    score, label = rows.outcomes().scores[positive][held], (rows.outcomes().label[held] == positive).astype(float)
    place = np.searchsorted(edges, score, side="right") * 2 + label.astype(np.int64)
    mean = np.array([score[place == one].mean() for one in place])
    numbers = tuple((label - mean).tolist())
    return Side(float(label.sum() - score.sum()), len(held), numbers)


def _sides(measure: str, rows: Rows, held: npt.NDArray[np.int64], positive: str, threshold: float | None = None) -> list[Side]:
    """The rates of some rows that a measure compares; with a threshold their scores are judged."""
    outcomes = rows.outcomes()
    if measure == "fairness.calibration_gap":
        return [_miscalibrated(rows, held, positive)]
    said, true = outcomes.prediction[held], outcomes.label[held]
    if measure == "fairness.mean_prediction_gap":
        return [Side(float(said.sum()), len(said), tuple(said.tolist()))]
    if measure == "fairness.error_gap":
        errors = np.abs(said - true)
        return [Side(float(errors.sum()), len(errors), tuple(errors.tolist()))]
    p, y = said == positive if threshold is None else outcomes.scores[positive][held] >= threshold, true == positive
    rates = {
        "fairness.selection_rate": [(p, p | ~p)],
        "fairness.demographic_parity_difference": [(p, p | ~p)],
        "fairness.demographic_parity_ratio": [(p, p | ~p)],
        "fairness.equal_opportunity_difference": [(p, y)],
        "fairness.equalized_odds_difference": [(p, y), (p, ~y)],
        "fairness.average_odds_difference": [(p, y), (p, ~y)],
        "fairness.predictive_parity_difference": [(y, p)],
        "fairness.fpr_parity": [(p, ~y)],
        "fairness.fnr_parity": [(~p, y)],
        "fairness.fdr_parity": [(~y, p)],
        "fairness.for_parity": [(y, ~p)],
        "fairness.accuracy_parity": [(said == true, p | ~p)],
    }
    if measure == "fairness.treatment_equality":
        return [Side(float((~p & y).sum()), float((p & ~y).sum()), odds=True)]
    return [Side(float((counted & of).sum()), float(of.sum())) for counted, of in rates[measure]]
