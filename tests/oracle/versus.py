"""The accuracy of two roles of a model, compared without pairs of rows (docs/measures.md). Plainly, window by window."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from tests.oracle.found import NOTHING, Asked, Found, Lookup
from tests.oracle.performance import measure

MEASURES = ("compare.difference",)
_CHANCE = 1.6448536269514722  # the normal quantile of 95 %


def lookup(asked: Asked) -> Lookup:
    """The accuracy of b less that of a in a window, that of a, and the verdict of all windows so far."""
    monitor, _, _, live, grouping, length, every, _ = asked
    assert monitor["params"]["of"] == "performance.accuracy"

    @cache
    def found(segment: str) -> dict[int, tuple[Found, Found]]:
        outcomes, role = live.outcomes(), live.frame["role"].to_numpy()
        groups = {start: held for (start, name), held in sorted(live.groups(grouping, length, every).items()) if name == segment}
        so_far, told = [], {}
        for start, held in groups.items():
            sides = [outcomes.take(held[role[held] == monitor[key]["role"]]) for key in "ab"]
            so_far.append([(side.prediction != side.label).astype(float) for side in sides])
            a, b = (measure("accuracy", side, {}, positive=None)[0] if len(side) else None for side in sides)
            n_a, n_b = map(len, sides)
            before = Found(None if a is None else a.value, n_a)
            if a is None or b is None:
                told[start] = Found(None, n_b, said="insufficient" if n_b else "nodata"), before
                continue
            (least_a, value_a, most_a), (least_b, value_b, most_b) = (_numbers(one.lower, one.value, one.upper) for one in (a, b))
            value = value_b - value_a
            lower, upper = value - math.hypot(value_b - least_b, most_a - value_a), value + math.hypot(most_b - value_b, value_a - least_a)
            said = _verdict(so_far, monitor["params"]["margin"], monitor.get("min_samples", 200))
            told[start] = Found(value, n_b, lower, upper, said=said), before
        return told

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        return found(segment).get(start, (NOTHING, NOTHING))

    return find


def _numbers(*found: float | None) -> list[float]:
    """Numbers that are all there."""
    there = [one for one in found if one is not None]
    assert len(there) == len(found)
    return there


def _verdict(windows: list[list[np.ndarray[tuple[int], np.dtype[np.float64]]]], margin: float, least: int) -> str:
    """What the errors of both sides in all windows tell: each window is compared within itself."""
    both = [(a, b) for a, b in windows if len(a) and len(b)]
    weights = [len(a) * len(b) / (len(a) + len(b)) for a, b in both]
    gain = sum(weight * (a.mean() - b.mean()) for weight, (a, b) in zip(weights, both, strict=True)) / sum(weights)
    variance = 0.0
    for side in (0, 1):
        every = np.concatenate([one[side] for one in windows])
        square = (((every - every.mean()) ** 2).sum() + 1) / len(every)
        variance += square * sum(weight**2 / len(pair[side]) for weight, pair in zip(weights, both, strict=True)) / sum(weights) ** 2
    if min(sum(len(pair[side]) for pair in both) for side in (0, 1)) < least:
        return "keep_waiting"
    level = 2 * math.log(1 / 0.05)
    ratio = level + math.log(level) + 1
    reach = math.sqrt((1 + 1 / ratio) * (level + math.log(1 + ratio)))
    width = ratio * (margin / (reach + _CHANCE)) ** 2
    far = math.sqrt(variance * (variance + width) / width * (level + math.log((variance + width) / variance)))
    return "ready" if gain - far > -margin else "worse" if gain + far < -margin else "keep_waiting"
