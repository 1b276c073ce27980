"""Sums of the rows of two sides, window by window, and what is known of their difference when each window has closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from core.block import Floats
from detectors.interval import Z

_ENOUGH = 10  # windows from which a variance between them is taken


class Amounts(NamedTuple):
    """The rows of places, the mean of an amount of theirs, 0 without rows, and the sum of its squared deviations: (windows, segments) each."""

    n: Floats
    mean: Floats
    centred: Floats

    def summed(self) -> Amounts:
        """Of each window and all before it. Source: Chan, Golub and LeVeque 1983."""
        found = Amounts(*(np.zeros(self.n.shape) for _ in self))
        n, mean, centred = (np.zeros(self.n.shape[1:]) for _ in self)
        for place in range(len(self.n)):
            own, apart, total = self.n[place], self.mean[place] - mean, n + self.n[place]
            part = np.divide(own, total, out=np.zeros_like(total), where=total > 0)
            centred, mean, n = centred + self.centred[place] + apart**2 * n * part, mean + apart * part, total
            for whole, one in zip(found, (n, mean, centred), strict=True):
                whole[place] = one
        return found


class Pairs(NamedTuple):
    """Pairs of rows of a and b that answer one request: what each row loses, how much more b loses, and counts of pairs, (windows, segments) each.

    `apart` is the largest absolute difference, `lost` the largest loss. `only_a` and `only_b`: pairs of which only one side loses nothing; `differ`: those with other predictions.
    """

    a: Amounts
    b: Amounts
    more: Amounts
    apart: Floats
    lost: Floats
    only_a: Floats
    only_b: Floats
    differ: Floats


class Standing(NamedTuple):
    """What is known of how much better b is than a when each window has closed: (windows, segments) each.

    `gain` is how much better it is so far, in the good direction of the measure, `variance` that of the estimate, both NaN where they are not known.
    """

    gain: Floats
    variance: Floats
    n_a: Floats
    n_b: Floats


Mean = Callable[[Floats], Floats]


class Form(NamedTuple):
    """How a measure follows from the mean loss of rows: `of` it, with its `slope`, and whether more of the measure is better (1) or less (-1). `unit`: the largest loss, None where there is none."""

    of: Mean
    slope: Mean
    better: int
    unit: float | None = None


def paired(pairs: Pairs, form: Form) -> Standing:
    """Of pairs, whose losses go together, all that came so far count alike.

    gain = better (f(mean b) - f(mean a)), its variance by the delta method. Two more pairs that differ as far as any has are added to the variance, as Agresti and Coull add them
    to a rate: without them pairs that never differed so far would tell that they never will.
    """
    a, b, more = pairs.a.summed(), pairs.b.summed(), pairs.more.summed()
    apart, lost = (np.maximum.accumulate(one, axis=0) for one in (pairs.apart, pairs.lost))
    largest = np.full_like(apart, form.unit) if form.unit else np.where(apart > 0, apart, lost)
    first, second = form.slope(a.mean), form.slope(b.mean)
    together = (a.centred + b.centred - more.centred) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where(
            first == second, first**2 * more.centred, first**2 * a.centred + second**2 * b.centred - 2 * first * second * together
        )
        variance = (np.maximum(spread, 0.0) + 2 * (np.maximum(np.abs(first), np.abs(second)) * largest) ** 2) / a.n**2
    gain = form.better * (form.of(b.mean) - form.of(a.mean))
    known = a.n > 1
    return Standing(np.where(known, gain, np.nan), np.where(known, variance, np.nan), a.n, b.n)


def unpaired(a: Amounts, b: Amounts, form: Form) -> Standing:
    """Of rows that do not go together, each window is compared within itself and weighs n m / (n + m), so that a share of traffic that grows, or a time when all is harder, moves nothing.

    The variance of a side is that within its windows, of which one more row as far off as can be is added where losses are bounded.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.nan_to_num(a.n * b.n / (a.n + b.n))
    # f of the means of all windows, and not the mean of f in each: a root of few rows is too small, and of two sides that of the smaller one more so.
    gain = form.better * (form.of(_mean(b.mean, weight)) - form.of(_mean(a.mean, weight)))
    squares = [_within(side, form) for side in (a, b)]
    parts = [np.nan_to_num(weight**2 / np.maximum(side.n, 1.0)) for side in (a, b)]
    spread = sum(np.cumsum(part, axis=0) * square for part, square in zip(parts, squares, strict=True))
    return _weighted(gain, weight, np.asarray(spread), a.n, b.n)


def of_values(gain: Floats, widths: Floats, n_a: Floats, n_b: Floats, off: tuple[Floats, Floats] | None = None) -> Standing:
    """Of windows of which only the values of both sides are known, with the sum of the squares of the widths of their 95 % intervals, NaN without such.

    Weights as in `unpaired`. Without intervals the variance is that between windows, once there are `_ENOUGH`. Where a value is as bad as it is far from a point, on either side, `off` are both
    sides' distances with their signs: those of all windows together are compared, since the one of a window with few rows is far by chance.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(np.isnan(gain), 0.0, np.nan_to_num(n_a * n_b / (n_a + n_b)))
    own = np.where(weight > 0, weight**2 * widths / (2 * Z) ** 2, 0.0)
    mean = _mean(gain, weight)
    so_far = mean if off is None else np.abs(_mean(off[0], weight)) - np.abs(_mean(off[1], weight))
    found = _weighted(so_far, weight, np.cumsum(own, axis=0), n_a, n_b)
    filled, square, many = np.where(weight > 0, gain, 0.0), weight**2, np.cumsum(weight > 0, axis=0)
    about = [np.cumsum(square * filled**power, axis=0) for power in (0, 1, 2)]
    spread = np.maximum(about[2] - 2 * np.nan_to_num(mean) * about[1] + np.nan_to_num(mean) ** 2 * about[0], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.where(many >= _ENOUGH, spread / np.cumsum(weight, axis=0) ** 2 * many / (many - 1), np.nan)
    return found._replace(variance=np.where(np.isnan(found.variance), between, found.variance))


def _mean(value: Floats, weight: Floats) -> Floats:
    """The weighted mean of windows up to each, NaN without weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.cumsum(np.where(weight > 0, weight * np.nan_to_num(value), 0.0), axis=0) / np.cumsum(weight, axis=0))


def _weighted(gain: Floats, weight: Floats, spread: Floats, n_a: Floats, n_b: Floats) -> Standing:
    """A gain that is made of weighted means of windows, whose variance times the square of the weights' sum is `spread`."""
    total = np.cumsum(weight, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(total > 0, spread / total**2, np.nan)
    counted = [np.cumsum(np.where(weight > 0, n, 0.0), axis=0) for n in (n_a, n_b)]
    return Standing(np.where(total > 0, gain, np.nan), variance, counted[0], counted[1])


def _within(side: Amounts, form: Form) -> Floats:
    """The variance of what a row of one side adds to the measure, of each window and all before it."""
    whole = side.summed()
    rows, windows = np.cumsum(side.n, axis=0), np.cumsum(side.n > 0, axis=0)
    centred = np.cumsum(side.centred, axis=0)
    if form.unit is not None:
        return np.asarray(form.slope(whole.mean) ** 2 * (whole.centred + form.unit**2) / np.maximum(rows, 1.0))
    free = rows - windows
    inside = free >= rows / 2  # else windows of a row or two tell too little of what varies within them
    return np.asarray(
        form.slope(whole.mean) ** 2 * np.where(inside, centred, whole.centred) / np.maximum(np.where(inside, free, rows - 1), 1.0)
    )
