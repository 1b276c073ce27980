"""Performance that is corrected for labels to come: a count, delay by delay, of the labels that panes old enough show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from tests.oracle.found import Asked, Found, Lookup, beside
from tests.oracle.rows import Rows
from tests.oracle.spec import DAY

MEASURES = ("performance.delay_corrected",)
_HOUR, _ENOUGH, _LEAST = DAY // 24, 30, 0.05
_BINS = 1_500

Label = tuple[str, int, int]  # its class, the bin of its delay, and the last bin that its pane shows in whole


class _Sums(NamedTuple):
    value: float
    lower: float | None
    upper: float | None


def lookup(asked: Asked) -> Lookup:
    """The measure of rows whose labels are weighted, and that of the reference, whose labels are all there."""
    params = asked.monitor["params"]
    of, learn = params["of"].removeprefix("performance."), params.get("learn", 30) * DAY

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        held = rows.members(asked.grouping, span, asked.every if span else 0, True).get(place, np.zeros(0, np.int64))
        every = rows.members(asked.grouping, span, asked.every if span else 0, False).get(place, np.zeros(0, np.int64))
        coverage = len(held) / max(len(every), 1)
        if not len(held):
            return Found(None, 0, coverage=coverage)
        weights = np.ones(len(held)) if not span else _weights(rows, asked.whole, held, place[0], span, learn)
        if weights is None or not weights.any():
            return Found(None, len(held), coverage=coverage)
        outcomes = rows.outcomes().take(held)
        amount = (
            np.abs(np.asarray(outcomes.prediction, float) - np.asarray(outcomes.label, float))
            if of == "mae"
            else (outcomes.prediction == outcomes.label).astype(float)
        )
        sums = _of(amount[weights > 0], weights[weights > 0], share=of == "accuracy")
        return Found(sums.value, len(held), sums.lower, sums.upper, coverage=coverage)

    return beside(asked, found)


def _of(amount: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], *, share: bool) -> _Sums:
    """The weighted mean, of a share with Wilson's interval at Kish's number of rows. A mean of errors has none, as without weights."""
    n, mean = weight.sum() ** 2 / (weight**2).sum(), float(np.average(amount, weights=weight))
    if not share:
        return _Sums(mean, None, None)
    z = float(stats.norm.ppf(0.975))
    middle, half = (mean + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * math.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
    return _Sums(mean, middle - half, middle + half)


def _weights(rows: Rows, whole: Rows, held: npt.NDArray[np.int64], start: int, span: int, learn: int) -> npt.NDArray[np.float64] | None:
    """One over the chance of each label, 0 where one of some class has next to none; None if it is not known. `held` are rows of a segment of the window."""
    labelled, times = np.flatnonzero(rows.labelled), rows.times
    window = labelled[(times[labelled] >= start) & (times[labelled] < start + span)]
    as_of = int((times[window] + rows.delays[window]).max())
    slots = times[labelled] // _HOUR * _HOUR
    before = labelled[(slots >= start + span - learn) & (slots < start + span)]
    kinds = ["labels"] if rows.spec.regression else [*sorted({*whole.outcomes().label[whole.labelled]}), "others"]
    shown = [
        (kind, _bin(delay), _shown(as_of - end))
        for kind, delay, end in zip(
            _kinds(rows, before), rows.delays[before].tolist(), (times[before] // _HOUR * _HOUR + _HOUR).tolist(), strict=True
        )
    ]
    usual = rows.once(
        "usual delays",
        lambda: [
            (kind, _bin(delay), _BINS)
            for kind, delay in zip(_kinds(whole, np.flatnonzero(whole.labelled)), whole.delays[whole.labelled].tolist(), strict=True)
        ],
    )
    together = [[("", place, last) for _, place, last in labels] for labels in (shown, usual)]
    curves = {}
    for kind in kinds:
        sources = [[one for one in labels if one[0] == kind] for labels in (shown, usual)]
        curve = next((each for each in map(_curve, (*sources, *together)) if each is not None), None)
        if curve is None:
            return None
        curves[kind] = curve
    ages = [_bin(age) for age in (as_of - times[held]).tolist()]
    chances = {age: {name: _chance(curve, age) for name, curve in curves.items()} for age in set(ages)}
    known = {age: min(chance.values()) >= _LEAST for age, chance in chances.items()}
    return np.array([1 / chances[age][kind] if known[age] else 0.0 for kind, age in zip(_kinds(rows, held), ages, strict=True)])


def _kinds(rows: Rows, held: npt.NDArray[np.int64]) -> list[str]:
    return ["labels"] * len(held) if rows.spec.regression else [str(one) for one in rows.outcomes().label[held]]


def _bin(delay: int) -> int:
    """The bin of a delay: each is 2 % longer than the one before, from a millisecond on."""
    return math.ceil(math.log(max(delay, 1_000) / 1_000) / math.log(1.02))


def _shown(age: int) -> int:
    """The last bin that ends by an age."""
    return math.floor(math.log(age / 1_000) / math.log(1.02)) if age >= 1_000 else -1


def _curve(labels: Sequence[Label]) -> Mapping[int, float] | None:
    """By the bins of delays that came, descending, the chance to have come before that bin; None with fewer labels than tell it."""
    seen = [(place, last) for _, place, last in labels if place <= last]
    if len(seen) < _ENOUGH:
        return None
    places, lasts = (np.array(each) for each in zip(*seen, strict=True))
    left, found = 1.0, {}
    for place in sorted(set(places.tolist()), reverse=True):
        risk = int(((places <= place) & (lasts >= place)).sum())
        left *= 1 - int(((places == place) & (lasts >= place)).sum()) / risk
        found[place] = left
    return found


def _chance(curve: Mapping[int, float], age: int) -> float:
    """The chance to have come by the end of a bin: before the first bin behind it that has labels."""
    later = [place for place in curve if place > age]
    return curve[min(later)] if later else 1.0
