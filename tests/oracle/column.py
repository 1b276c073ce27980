"""Measures of quality and drift of a column, from the rows of one place, one at a time: by numpy and scipy where they have the same rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import chdtr, chndtrinc

from tests.oracle import vector
from tests.oracle.bins import Bins, CategoricalBins, NumericBins
from tests.oracle.drift import grouped, hellinger, js, psi_of
from tests.oracle.moved import MOVED
from tests.oracle.sample import Known, Numbers, Sample, Value, chi_degrees
from tests.oracle.text import STATES

EMBEDDING = "drift.embedding"
_Z = float(stats.norm.ppf(0.975))


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
    if measure == EMBEDDING and baseline is not None:
        return Value(*vector.embedding(target.values, baseline.values, known.values, params, known.phi))
    if name in _RATES:
        return _rate(_RATES[name], target, baseline, known)
    if family == "quality":
        return _COUNTED[name](target, known)
    assert baseline is not None
    return BY_BIN[name](target, baseline, known) if name in BY_BIN else MOVED[name](target, baseline, known, params)


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
    return _beyond(target, *known.tails)


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
    n, m, used = target.n, baseline.n, _in_use(target, baseline)
    pooled = [float(share) for share in _pooled(target, baseline)]
    h = sum(_root_spread(n * share) / n + _root_spread(m * share) / m for share in pooled if share) / used
    value, unit = hellinger(target.counts, baseline.counts), 8 / h
    assert value is not None
    return _scaled(value, unit * value**2, used - 1, lambda nc: min(1.0, math.sqrt(nc / unit)), known.phi)


def _root_spread(rows: float) -> float:
    """Four times the mean squared distance of the root of a Poisson count from that of its mean: between two means whose roots are twentieths, on a line; 1 beyond 400."""
    if rows > 400:
        return 1.0
    below = min(math.floor(math.sqrt(rows) * 20), 399)
    below -= (below / 20) ** 2 > rows
    low, high = (below / 20) ** 2, ((below + 1) / 20) ** 2
    first, last = _exact_spread(below), _exact_spread(below + 1)
    return first + (last - first) * (rows - low) / (high - low)


@cache
def _exact_spread(twentieths: int) -> float:
    mean = (twentieths / 20) ** 2
    counts = np.arange(1_000)
    return float(4 * (stats.poisson.pmf(counts, mean) * (np.sqrt(counts) - math.sqrt(mean)) ** 2).sum())


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
        statistic, degrees = value**2 / square, chi_degrees(variance / square)
    near = math.sqrt(math.log(2 / 0.05) * h * known.phi / 2)
    return Value(
        value, max(0.0, value - math.sqrt(_in_use(target, baseline) * h * known.phi) / 2 - near), min(1.0, value + near), statistic, degrees
    )


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


BY_BIN: dict[str, Callable[[Sample, Sample, Known], Value]] = {
    "psi": _psi,
    "kl": _kl,
    "js": _js,
    "hellinger": _hellinger,
    "total_variation": _total_variation,
    "linf": _linf,
    "chi2": _chi2,
}


NUMERIC = {"quality.out_of_range_rate", "drift.tail_share", *(f"drift.{name}" for name in MOVED)}
CATEGORICAL = {"quality.unseen_category_rate", "quality.distinct", "quality.new_categories"}
COMPARES = {EMBEDDING, *(f"drift.{name}" for name in (*BY_BIN, *MOVED))}
TESTED = {*COMPARES, "drift.tail_share"} | {
    f"quality.{name}" for name in ("null_rate", "invalid_rate", "unseen_category_rate", "empty_rate", "out_of_range_rate")
}
