"""Measures of how the numbers of a column moved, from the rows of two places."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from tests.oracle.bins import NumericBins
from tests.oracle.sample import Known, Numbers, Sample, Value, chi_degrees

COARSE = 0.05  # a wider bound is no value


def _cumulative(ordered: Numbers, at: Numbers) -> Numbers:
    """The share of numbers, which ascend, below each place."""
    return np.asarray(np.searchsorted(ordered, at, side="left") / len(ordered))


def _loose(target: Sample, baseline: Sample, known: Known) -> Numbers:
    """By value bin the smaller share of both sides, 0 where the bin holds one value."""
    f, g = (np.array(side.counts[: known.bins.values]) / len(side.numbers) for side in (target, baseline))
    return np.where(known.single, 0.0, np.minimum(f, g))


def _ks(target: Sample, baseline: Sample, known: Known, _: dict[str, Any]) -> Value:
    """The distance at the edges; that of the rows is larger by the largest loose share at most. Where that is above 0.05 it is that of the rows."""
    x, y = target.ordered, baseline.ordered
    if not len(x) or not len(y):
        return Value(None)
    bound = float(_loose(target, baseline, known).max())
    if bound > COARSE and not (target.rows and baseline.rows):
        return Value(None)
    assert isinstance(known.bins, NumericBins)
    seen, edges = np.unique(np.concatenate([x, y])), known.bins.edges
    exact = float(np.abs(np.searchsorted(x, seen, "right") / len(x) - np.searchsorted(y, seen, "right") / len(y)).max())
    binned = float(np.abs(_cumulative(x, edges) - _cumulative(y, edges)).max(initial=0.0))
    near = sum(math.sqrt(math.log(4 / 0.05) / (2 * len(side) / known.phi)) for side in (x, y))
    assert binned - 1e-12 <= exact <= binned + bound + 1e-12
    binned, bound = (exact, 0.0) if bound > COARSE else (binned, bound)
    scaled = binned / math.sqrt(1 / len(x) + 1 / len(y))
    p = float(stats.kstwobign.sf(scaled))
    statistic = max(0.0, -math.log(p) if p > 1e-6 else 2 * scaled**2 - math.log(2))
    return Value(binned, max(0.0, binned - near), min(1.0, binned + bound + near), statistic, 2)


def _wasserstein(target: Sample, baseline: Sample, known: Known, _: dict[str, Any]) -> Value:
    """The formula of the page, bin by bin, on the rows."""
    x, y = target.ordered, baseline.ordered
    if not len(x) or not len(y) or not known.scale:
        return Value(None)
    assert isinstance(known.bins, NumericBins)
    cuts = [-math.inf, *known.bins.edges.tolist(), math.inf]
    total, coarse = 0.0, False
    ends = [0.0, *(_cumulative(x, known.bins.edges) - _cumulative(y, known.bins.edges)).tolist(), 0.0]
    for place, loose in enumerate(_loose(target, baseline, known).tolist()):
        (low, high), (before, after) = cuts[place : place + 2], ends[place : place + 2]
        mine, other = (side[slice(*np.searchsorted(side, (low, high)))] for side in (x, y))
        moved = (high * after if after else 0.0) - (low * before if before else 0.0)
        total += abs(moved - (mine.sum() / len(x) - other.sum() / len(y)))
        signs = -len(mine) / len(x) + 1e-12 < before < len(other) / len(y) - 1e-12  # F - G may be of either sign within the bin
        coarse |= signs and loose > COARSE
    if coarse and not (target.rows and baseline.rows):
        return Value(None)
    total = float(stats.wasserstein_distance(x, y)) if coarse else total
    usual = _usual_square(x, y, known.bins.edges)  # 0 where all numbers of both sides are one
    return Value(total / known.scale, statistic=total**2 / usual if usual else None, degrees=chi_degrees(1 - 15 * math.pi / 56))


def _usual_square(x: Numbers, y: Numbers, edges: Numbers) -> float:
    """The mean of the square of the integral of |F - G| if both are one: that of a uniform's is 7 h / 60 where the square of its mean is pi h / 32."""
    both = np.sort(np.concatenate([x, y]))
    root = [math.sqrt(share * (1 - share)) for share in _cumulative(both, edges).tolist()]
    area = sum((high - low) * (a + b) / 2 for (low, high), (a, b) in zip(pairwise(edges.tolist()), pairwise(root), strict=True))
    for tail, edge in ((both[both < edges[0]], edges[0]), (both[both >= edges[-1]], edges[-1])):
        area += 2 * math.sqrt(len(tail) / len(both)) * abs(float(tail.mean()) - float(edge)) if len(tail) else 0.0
    return float(2 / math.pi * (1 / len(x) + 1 / len(y)) * area**2 * 56 / (15 * math.pi))


def _mean_shift(target: Sample, baseline: Sample, known: Known, _: dict[str, Any]) -> Value:
    x, y, unit = target.numbers, baseline.numbers, float(np.std(known.numbers)) if known.scale else 0.0
    if not len(x) or not len(y) or not unit:
        return Value(None)
    value = float(x.mean() - y.mean()) / unit
    if len(x) < 2 or len(y) < 2:
        return Value(value)
    apart = sum(_variance(side) / len(side) for side in (x, y))
    squared = (value * unit) ** 2 / apart if apart else None if value else 0.0  # that of Welch's t
    sizes = [len(side) / known.phi for side in (x, y)]
    if min(sizes) <= 1:
        return Value(value, None, None, squared, 1)
    parts = [_variance(side) / size for side, size in zip((x, y), sizes, strict=True)]
    degrees = sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True)) if apart else 1.0
    half = float(stats.t.ppf(0.975, degrees)) * math.sqrt(sum(parts)) / unit
    return Value(value, value - half, value + half, squared, 1)


def _variance(x: Numbers) -> float:
    """The unbiased variance; 0 of one value, however it is rounded."""
    return float(np.var(x, ddof=1)) if len(x) > 1 and x.min() < x.max() else 0.0


def _variance_ratio(target: Sample, baseline: Sample, _: Known, __: dict[str, Any]) -> Value:
    """Fisher's statistic of normal numbers, whose law is another for other numbers."""
    sides = [side.numbers for side in (target, baseline)]
    spreads = [_variance(side) for side in sides]
    if min(spreads) <= 0:
        return Value(None)
    value = spreads[0] / spreads[1]
    return Value(value, statistic=math.log(value) ** 2 / sum(2 / (len(side) - 1) for side in sides))


def _quantile_shift(target: Sample, baseline: Sample, known: Known, params: dict[str, Any]) -> Value:
    """The middle of what the bins allow, which the quantile of the rows is near."""
    if not len(target.numbers) or not len(baseline.numbers) or not known.scale:
        return Value(None)
    now, before = (_quantile(side.numbers, params.get("q", 0.5), known) for side in (target, baseline))
    value, bound = (now.middle - before.middle) / known.scale, (now.width + before.width) / (2 * known.scale)
    assert abs((now.exact - before.exact) / known.scale - value) <= bound + 1e-9 * (1 + abs(value))
    return Value(
        value if bound <= max(COARSE, abs(value) / 4) else None,
        statistic=_woodruff(target.numbers, baseline, now.middle, params.get("q", 0.5), known),
        degrees=1,
    )


def _woodruff(x: Numbers, baseline: Sample, at: float, q: float, known: Known) -> float:
    """How far q is from the shares of the baseline below the target's quantile and up to it, over its standard error, squared."""
    assert isinstance(known.bins, NumericBins)
    place = int(known.bins.codes(np.array([at]))[0])
    cuts = [-math.inf, *known.bins.edges.tolist(), math.inf]
    y, (least, most) = baseline.numbers, baseline.extremes
    low, high = cuts[place], cuts[place + 1]
    before, held = int((y < low).sum()), int(((y >= low) & (y < high)).sum())
    first, last = max(low, least), min(high, most)
    part = min(1.0, max(0.0, (at - first) / (last - first))) if last > first else 0.5
    below, upto = (before + held * share for share in ((0.0, 1.0) if known.single[place] else (part, part)))
    apart = max(below / len(y) - q, q - upto / len(y), 0.0)
    return float(apart**2 / (q * (1 - q) * (1 / len(x) + 1 / len(y))))


class _Quantile(NamedTuple):
    exact: float
    middle: float
    width: float


def _quantile(x: Numbers, q: float, known: Known) -> _Quantile:
    """The k-th number, and what its bin, the bin's sum, and the least and largest number say of it."""
    assert isinstance(known.bins, NumericBins)
    exact = float(np.quantile(x, q, method="inverted_cdf"))
    place = int(known.bins.codes(np.array([exact]))[0])
    cuts = [-math.inf, *known.bins.edges.tolist(), math.inf]
    if known.single[place]:
        return _Quantile(exact, cuts[place], 0.0)
    held = x[known.bins.codes(x) == place]
    below, above = (np.sum(held < exact), np.sum(held > exact)) if len(np.unique(held)) == len(held) else (None, None)
    rank = max(math.ceil(q * len(x)), 1) - int(np.sum(x < cuts[place]))
    assert below is None or (rank, len(held) - rank) == (below + 1, above)
    first, last = max(cuts[place], x.min()), min(cuts[place + 1], x.max())
    least = max(first, (held.sum() - (len(held) - rank) * last) / rank)
    most = min(last, (held.sum() - (rank - 1) * first) / (len(held) - rank + 1))
    return _Quantile(exact, (least + most) / 2, max(0.0, most - least))


MOVED: dict[str, Callable[[Sample, Sample, Known, dict[str, Any]], Value]] = {
    "ks": _ks,
    "wasserstein": _wasserstein,
    "mean_shift": _mean_shift,
    "variance_ratio": _variance_ratio,
    "quantile_shift": _quantile_shift,
}
