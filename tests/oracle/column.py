"""Measures of quality and drift of a column, from the rows of one place, one at a time: by numpy and scipy where they have the same rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import chdtr, chndtrinc

from tests.oracle.bins import Bins, CategoricalBins, NumericBins
from tests.oracle.drift import grouped, hellinger, js, psi_of
from tests.oracle.text import STATES
from tests.oracle.value import INVALID, NULL

_Z = float(stats.norm.ppf(0.975))
COARSE = 0.05  # a wider bound is no value
Numbers = npt.NDArray[np.float64]


class Value(NamedTuple):
    """A value (None: not estimable) with its 95 % interval; and where its law is known, a statistic over its degrees of freedom, and these."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    statistic: float | None = None
    degrees: float = 0


@dataclass(frozen=True)
class Known:
    """What the contract knows of a column: its bins, and all values of the reference; and how many rows are worth one independent row."""

    bins: Bins
    values: npt.NDArray[Any]
    phi: float = 1.0

    @cached_property
    def numbers(self) -> Numbers:
        """The reference's finite numbers."""
        found: Numbers = self.values[np.isfinite(self.values)]
        return found

    @cached_property
    def texts(self) -> set[str]:
        """The reference's distinct texts."""
        return set(map(str, self.values))

    @cached_property
    def scale(self) -> float:
        """The interquartile range, the standard deviation where it is 0; 0 of a constant."""
        x = self.numbers
        return 0.0 if len(x) == 0 or x.min() == x.max() else float(stats.iqr(x) or np.std(x))

    @cached_property
    def single(self) -> list[bool]:
        """Which value bins hold one value."""
        edges = self.bins.edges if isinstance(self.bins, NumericBins) else np.zeros(0)
        inner = [bool(np.nextafter(low, np.inf) == high) for low, high in pairwise(edges.tolist())]
        return [False, *inner, False] if len(edges) > 1 else [False] * (len(edges) + 1)


class Sample:
    """The rows of one place: `counts` by bin, and the values themselves (numbers, NaN null and infinity invalid; or texts) where they are asked for."""

    def __init__(self, counts: Sequence[int], values: Callable[[], npt.NDArray[Any]]) -> None:
        self.counts, self.n, self._values = counts, sum(counts), values

    @cached_property
    def values(self) -> npt.NDArray[Any]:
        """All rows' values."""
        return self._values()

    @cached_property
    def numbers(self) -> Numbers:
        """The finite ones."""
        found: Numbers = self.values[np.isfinite(self.values)]
        return found

    @cached_property
    def texts(self) -> set[str]:
        """The distinct values that are texts or numbers, null and invalid apart."""
        return {str(value) for value in self.values if value not in {NULL, INVALID}}


def wilson(count: float, n: float) -> tuple[float, float]:
    """Wilson's interval: the rates p of which count / n is 1.96 standard errors sqrt(p (1 - p) / n) away, by the quadratic equation."""
    a, b, c = 1 + _Z**2 / n, -2 * count / n - _Z**2 / n, (count / n) ** 2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


def noncentral(statistic: float, degrees: int) -> tuple[float, float] | tuple[None, None]:
    """The noncentralities at which the statistic is the upper and the lower 2.5 % point of a chi-square law; none without a degree of freedom."""
    if degrees < 1:
        return None, None
    low, high = (0.0 if chdtr(degrees, statistic) <= p else float(chndtrinc(statistic, degrees, p)) for p in (0.975, 0.025))
    return low, high


def of(measure: str, target: Sample, baseline: Sample | None, known: Known, params: dict[str, Any]) -> Value:
    """The value of a measure; None where a side that it needs has no rows."""
    family, _, name = measure.partition(".")
    if target.n == 0 or (measure in COMPARES and (baseline is None or baseline.n == 0)):
        return Value(None)
    if not fits(measure, known):
        return Value(None)
    if name in _RATES:
        return _rate(_RATES[name], target, baseline, known)
    if family == "quality":
        return _COUNTED[name](target, known)
    assert baseline is not None
    return _BY_BIN[name](target, baseline, known) if name in _BY_BIN else _MOVED[name](target, baseline, known, params)


def z_squared(count: int, n: int, other: int, m: int) -> float:
    """The square of z of two rates, with the pooled variance; 0 if both are 0 or 1."""
    pooled = (count + other) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return (count / n - other / m) ** 2 / variance if variance else 0.0


def fits(measure: str, known: Known) -> bool:
    """Whether a column of this kind can have a value."""
    if measure == "quality.empty_rate":
        return isinstance(known.bins, CategoricalBins) and tuple(known.bins.kept) == STATES
    return measure not in (CATEGORICAL if isinstance(known.bins, NumericBins) else NUMERIC)


def _rate(count: Callable[[Sample, Known], int | None], target: Sample, baseline: Sample | None, known: Known) -> Value:
    """Wilson's interval; and z squared with the pooled variance, where there is a baseline."""
    own = count(target, known)
    if own is None:
        return Value(None)
    n, statistic = target.n, None
    if baseline is not None and baseline.n:
        other = count(baseline, known)
        assert other is not None
        statistic = z_squared(own, n, other, baseline.n)
    return Value(own / n, *wilson(own / known.phi, n / known.phi), statistic, 1)


def _of_bin(place: Callable[[Bins], int]) -> Callable[[Sample, Known], int]:
    return lambda target, known: target.counts[place(known.bins)]


def _beyond(target: Sample, low: float, high: float) -> int:
    return int(((target.numbers < low) | (target.numbers > high)).sum())


def _out_of_range(target: Sample, known: Known) -> int | None:
    x = known.numbers
    return _beyond(target, x.min(), x.max()) if len(x) else None


def _tail_share(target: Sample, known: Known) -> int | None:
    if len(known.numbers) == 0:
        return None
    low, high = np.quantile(known.numbers, (0.01, 0.99), method="inverted_cdf")
    return _beyond(target, low, high)


_RATES: dict[str, Callable[[Sample, Known], int | None]] = {
    "null_rate": _of_bin(lambda bins: bins.null),
    "invalid_rate": _of_bin(lambda bins: bins.null + 1),
    "unseen_category_rate": _of_bin(lambda bins: bins.values + 1),
    "empty_rate": lambda target, _: target.counts[STATES.index("empty")],
    "out_of_range_rate": _out_of_range,
    "tail_share": _tail_share,
}


def _constant(target: Sample, known: Known) -> Value:
    values = set(target.numbers.tolist()) if isinstance(known.bins, NumericBins) else target.texts
    return Value(float(len(values) == 1) if values else None)


_COUNTED: dict[str, Callable[[Sample, Known], Value]] = {
    "constant": _constant,
    "distinct": lambda target, _: Value(float(len(target.texts))),
    "new_categories": lambda target, known: Value(float(len(target.texts - known.texts))),
}


def _scaled(value: float | None, statistic: float, degrees: int, back: Callable[[float], float], phi: float) -> Value:
    low, high = noncentral(statistic / phi, degrees)
    if low is None or high is None:
        return Value(value)
    return Value(value, back(phi * low), back(phi * high), statistic / degrees, degrees)


def _h(target: Sample, baseline: Sample) -> float:
    return 1 / target.n + 1 / baseline.n


def _groups(target: Sample, baseline: Sample, known: Known) -> list[tuple[int, int]]:
    return grouped(target.counts, baseline.counts, known.bins.groups)


def _psi(target: Sample, baseline: Sample, known: Known) -> Value:
    pairs, h = _groups(target, baseline, known), _h(target, baseline)
    value = psi_of(pairs, target.n, baseline.n)
    return _scaled(value, value / h, len(pairs) - 1, lambda nc: h * nc, known.phi)


def _kl(target: Sample, baseline: Sample, known: Known) -> Value:
    pairs, h = _groups(target, baseline, known), _h(target, baseline)
    p, q = (np.array([pair[side] for pair in pairs]) + 0.5 for side in (0, 1))
    value = float(stats.entropy(p, q))  # scipy makes shares of them
    return _scaled(value, 2 * value / h, len(pairs) - 1, lambda nc: h * nc / 2, known.phi)


def _in_use(target: Sample, baseline: Sample) -> int:
    return sum(c + r > 0 for c, r in zip(target.counts, baseline.counts, strict=True))


def _js(target: Sample, baseline: Sample, known: Known) -> Value:
    value, unit = js(target.counts, baseline.counts), 8 * math.log(2) / _h(target, baseline)
    assert value is not None
    return _scaled(value, unit * value**2, _in_use(target, baseline) - 1, lambda nc: min(1.0, math.sqrt(nc / unit)), known.phi)


def _hellinger(target: Sample, baseline: Sample, known: Known) -> Value:
    value, unit = hellinger(target.counts, baseline.counts), 8 / _h(target, baseline)
    assert value is not None
    return _scaled(value, unit * value**2, _in_use(target, baseline) - 1, lambda nc: min(1.0, math.sqrt(nc / unit)), known.phi)


def _apart(target: Sample, baseline: Sample) -> Numbers:
    return np.abs(np.array(target.counts) / target.n - np.array(baseline.counts) / baseline.n)


def _pooled(target: Sample, baseline: Sample) -> Numbers:
    return np.asarray((np.array(target.counts) + np.array(baseline.counts)) / (target.n + baseline.n))


def _total_variation(target: Sample, baseline: Sample, known: Known) -> Value:
    """The mean and the variance of half the sum of the sizes of normal differences, pair by pair."""
    value, h = float(_apart(target, baseline).sum() / 2), _h(target, baseline)
    p = _pooled(target, baseline)
    p, statistic, degrees = p[p > 0], None, 0.0
    if len(p) > 1:
        sd, odds = np.sqrt(h * p * (1 - p)), p / (1 - p)
        pairs = np.outer(sd, sd) * np.outer(odds, odds) / math.pi
        np.fill_diagonal(pairs, (1 - 2 / math.pi) * sd**2)
        mean, variance = sd.sum() / math.sqrt(2 * math.pi), float(pairs.sum()) / 4
        square = float(mean**2) + variance
        statistic, degrees = value**2 / square, _chi_degrees(variance / square)
    near = math.sqrt(math.log(2 / 0.05) * h * known.phi / 2)
    return Value(
        value, max(0.0, value - math.sqrt(_in_use(target, baseline) * h * known.phi) / 2 - near), min(1.0, value + near), statistic, degrees
    )


def _chi_degrees(part: float) -> float:
    """The d at which a chi variable's variance is this part of the mean of its square, by the first two terms of 1 / d."""
    return max(1.0, 1 / (2 - math.sqrt(max(0.0, 4 - 8 * part))))


def _linf(target: Sample, baseline: Sample, known: Known) -> Value:
    value, h = float(_apart(target, baseline).max()), _h(target, baseline)
    near = math.sqrt(math.log(2 * _in_use(target, baseline) / 0.05) * h * known.phi / 2)
    p = _pooled(target, baseline)
    spread = np.sqrt(h * p * (1 - p))[(p > 0) & (p < 1)]
    chance = float(stats.norm.logsf(value / spread).max() if len(spread) else 0)
    summed = chance + math.log(2 * float(np.exp(stats.norm.logsf(value / spread) - chance).sum())) if len(spread) else None
    return Value(value, max(0.0, value - near), min(1.0, value + near), None if summed is None else max(0.0, -summed), 2)


def _chi2(target: Sample, baseline: Sample, known: Known) -> Value:
    table = np.array([target.counts, baseline.counts])
    table = table[:, table.sum(0) > 0]
    total, k = int(table.sum()), table.shape[1]
    if k == 1:
        return Value(0.0)
    statistic = float(stats.chi2_contingency(table, correction=False).statistic)
    squared = max(0.0, statistic / total - (k - 1) / (total - 1))
    value = 0.0 if squared < 1e-14 else math.sqrt(squared / min(k - (k - 1) ** 2 / (total - 1) - 1, 1 - 1 / (total - 1)))
    return _scaled(min(1.0, value), statistic, k - 1, lambda nc: min(1.0, math.sqrt(nc / total)), known.phi)


_BY_BIN: dict[str, Callable[[Sample, Sample, Known], Value]] = {
    "psi": _psi,
    "kl": _kl,
    "js": _js,
    "hellinger": _hellinger,
    "total_variation": _total_variation,
    "linf": _linf,
    "chi2": _chi2,
}


def _cumulative(x: Numbers, at: Numbers) -> Numbers:
    """The share of numbers below each place."""
    return np.asarray(np.searchsorted(np.sort(x), at, side="left") / len(x))


def _loose(target: Sample, baseline: Sample, known: Known) -> Numbers:
    """By value bin the smaller share of both sides, 0 where the bin holds one value."""
    f, g = (np.array(side.counts[: known.bins.values]) / len(side.numbers) for side in (target, baseline))
    return np.where(known.single, 0.0, np.minimum(f, g))


def _ks(target: Sample, baseline: Sample, known: Known, _: dict[str, Any]) -> Value:
    """The distance at the edges; that of the rows is larger by the largest loose share at most. There is no value where that is above 0.05."""
    x, y = target.numbers, baseline.numbers
    if not len(x) or not len(y):
        return Value(None)
    bound = float(_loose(target, baseline, known).max())
    if bound > COARSE:
        return Value(None)
    assert isinstance(known.bins, NumericBins)
    seen, edges = np.unique(np.concatenate([x, y])), known.bins.edges
    exact = float(np.abs(np.searchsorted(np.sort(x), seen, "right") / len(x) - np.searchsorted(np.sort(y), seen, "right") / len(y)).max())
    binned = float(np.abs(_cumulative(x, edges) - _cumulative(y, edges)).max(initial=0.0))
    near = sum(math.sqrt(math.log(4 / 0.05) / (2 * len(side) / known.phi)) for side in (x, y))
    assert binned - 1e-12 <= exact <= binned + bound + 1e-12
    scaled = binned / math.sqrt(1 / len(x) + 1 / len(y))
    p = float(stats.kstwobign.sf(scaled))
    statistic = max(0.0, -math.log(p) if p > 1e-6 else 2 * scaled**2 - math.log(2))
    return Value(binned, max(0.0, binned - near), min(1.0, binned + bound + near), statistic, 2)


def _wasserstein(target: Sample, baseline: Sample, known: Known, _: dict[str, Any]) -> Value:
    """The formula of the page, bin by bin, on the rows."""
    x, y = target.numbers, baseline.numbers
    if not len(x) or not len(y) or not known.scale:
        return Value(None)
    assert isinstance(known.bins, NumericBins)
    cuts = [-math.inf, *known.bins.edges.tolist(), math.inf]
    total, coarse = 0.0, False
    ends = [0.0, *(_cumulative(x, known.bins.edges) - _cumulative(y, known.bins.edges)).tolist(), 0.0]
    for place, loose in enumerate(_loose(target, baseline, known).tolist()):
        (low, high), (before, after) = cuts[place : place + 2], ends[place : place + 2]
        mine, other = (side[(side >= low) & (side < high)] for side in (x, y))
        moved = (high * after if after else 0.0) - (low * before if before else 0.0)
        total += abs(moved - (mine.sum() / len(x) - other.sum() / len(y)))
        signs = -len(mine) / len(x) + 1e-12 < before < len(other) / len(y) - 1e-12  # F - G may be of either sign within the bin
        coarse |= signs and loose > COARSE
    if coarse:
        return Value(None)
    return Value(
        total / known.scale, statistic=total**2 / _usual_square(x, y, known.bins.edges), degrees=_chi_degrees(1 - 15 * math.pi / 56)
    )


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
        statistic=_woodruff(target.numbers, baseline.numbers, now.middle, params.get("q", 0.5), known),
        degrees=1,
    )


def _woodruff(x: Numbers, y: Numbers, at: float, q: float, known: Known) -> float:
    """How far q is from the shares of the baseline below the target's quantile and up to it, over its standard error, squared."""
    assert isinstance(known.bins, NumericBins)
    place = int(known.bins.codes(np.array([at]))[0])
    cuts = [-math.inf, *known.bins.edges.tolist(), math.inf]
    low, high = cuts[place], cuts[place + 1]
    before, held = int((y < low).sum()), int(((y >= low) & (y < high)).sum())
    first, last = max(low, float(y.min())), min(high, float(y.max()))
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


_MOVED: dict[str, Callable[[Sample, Sample, Known, dict[str, Any]], Value]] = {
    "ks": _ks,
    "wasserstein": _wasserstein,
    "mean_shift": _mean_shift,
    "variance_ratio": _variance_ratio,
    "quantile_shift": _quantile_shift,
}
NUMERIC = {"quality.out_of_range_rate", "drift.tail_share", *(f"drift.{name}" for name in _MOVED)}
CATEGORICAL = {"quality.unseen_category_rate", "quality.distinct", "quality.new_categories"}
COMPARES = {f"drift.{name}" for name in (*_BY_BIN, *_MOVED)}
TESTED = {*COMPARES, "drift.tail_share"} | {
    f"quality.{name}" for name in ("null_rate", "invalid_rate", "unseen_category_rate", "empty_rate", "out_of_range_rate")
}
