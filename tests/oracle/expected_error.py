"""Errors of a regression estimated from rows like them in the reference, from the text of docs/measures.md: trees of scikit-learn, row by row, and what labels say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from tests.oracle.bins import NumericBins
from tests.oracle.found import NOTHING, Asked, Found, Lookup, earlier
from tests.oracle.rows import Rows
from tests.oracle.separation import Side, fold_of
from tests.oracle.signal import number_values

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MEASURES = {"performance.estimated_mae", "performance.estimated_rmse"}
_MOST, _FOLDS, _Z = 60_000, 5, 1.959963984540054
_OUTSIDE, _TOLERANCE, _EARLIER = 0.05, 0.1, 7


class _Mean(NamedTuple):
    """What is expected of some rows on average, by the trees of each fold, and the mean square of what is expected of each row."""

    each: Numbers
    square: float

    @property
    def mean(self) -> float:
        return float(self.each.mean())


class _Guess(NamedTuple):
    """The estimate of a place, of sampled rows; and of those among them whose labels have come, with the mean error that these give."""

    sampled: _Mean
    rows: int
    labelled: _Mean
    labels: int
    realised: float
    outside: float


class Trees:
    """What the labelled rows of the reference tell of the errors of such rows."""

    def __init__(self, whole: Rows, *, squared: bool) -> None:
        self.whole, self.squared = whole, squared
        side = Side(whole, [str(place) for place in range(whole.size)], 0, 0, most=_MOST)
        error = self.errors(whole)
        rows = np.array([row for row in side.at((), 0, "all").whole if np.isfinite(error[row])], np.int64)
        self._known = {name: np.unique(whole.values(name)[rows]) for name in self._columns if self._numeric(name)}
        x, y, fold = self._written(whole, rows), error[rows], np.array([fold_of(str(row)) for row in rows])
        self._scale, self._folds, out = float(y.mean()), list[Any](), np.zeros(len(rows))
        for held in range(_FOLDS):
            own = fold == held
            trees = HistGradientBoostingRegressor(early_stopping=False, random_state=1)
            with threadpool_limits(1, "openmp"):
                self._folds.append(trees.fit(x[~own], y[~own] / self._scale))
                out[own] = np.maximum(trees.predict(x[own]), 0)
        self.relative = float(((y / self._scale - out) ** 2).sum() / (out**2).sum())

    @property
    def _columns(self) -> list[str]:
        return [*self.whole.spec.watched(self.whole.reference), "@prediction"]

    def _numeric(self, name: str) -> bool:
        return isinstance(self.whole.binned(name)[0], NumericBins)

    def errors(self, rows: Rows) -> Numbers:
        """The error of each row, NaN without a label."""
        held = rows.outcomes()
        apart = np.where(rows.labelled, np.asarray(held.prediction, float) - np.asarray(held.label, float), np.nan)
        return apart**2 if self.squared else np.abs(apart)

    def expected(self, rows: Rows, some: Places) -> Numbers:
        """By the trees of each fold: (folds, rows)."""
        x = self._written(rows, some)
        with threadpool_limits(1, "openmp"):
            return np.stack([np.maximum(trees.predict(x), 0) * self._scale for trees in self._folds])

    def _written(self, rows: Rows, some: Places) -> Numbers:
        """Numbers by their place among those of the rows that are learned from, halves between two; texts by their bin; null is NaN."""
        found = []
        for name in self._columns:
            if self._numeric(name):
                values, known = rows.values(name)[some], self._known[name]
                known = known[~np.isnan(known)]
                both = np.searchsorted(known, values, "left"), np.searchsorted(known, values, "right")
                found.append(np.where(np.isnan(values), np.nan, (both[0] + both[1]) / 2))
            else:
                kinds, codes = rows.binned(name)
                found.append(np.where(codes[some] == kinds.null, np.nan, codes[some].astype(float)))
        return np.column_stack(found)


def of_errors(asked: Asked) -> Lookup:
    """The estimate of a place, and the error of the reference, or the estimate of an earlier window."""
    monitor, _, whole, live, grouping, length, every, _ = asked
    squared, against = monitor["measure"] == "performance.estimated_rmse", monitor.get("baseline")
    trees: Trees = whole.once(f"trees{squared}", lambda: Trees(whole, squared=squared))
    side = Side(live, live.frame[live.spec.id].tolist(), length, every)
    guesses: dict[tuple[int, str], _Guess | None] = live.once(f"guesses{squared, length, every, grouping}", dict)

    def guess(start: int, segment: str) -> _Guess | None:
        key = (start, segment)
        if key not in guesses:
            guesses[key] = _guess(trees, live, side.at(grouping, start, segment).own)
        return guesses[key]

    def place(start: int, segment: str) -> Found:
        n, held = side.at(grouping, start, segment).n, guess(start, segment)
        if held is None:
            return Found(None, n)
        before = [guess(start - number * length, segment) for number in range(1, int(_param(monitor, "earlier", _EARLIER)) + 1)]
        return _judged(trees, held, n, before)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = place(start, segment)
        if against is None or against != "reference":
            return target, None if against is None else place(start - earlier(against, length), segment)
        rows = whole.groups(grouping, 0).get((0, segment))
        error = np.zeros(0) if rows is None else trees.errors(whole)[rows]
        error = error[np.isfinite(error)]
        return target, Found(float(np.sqrt(error.mean()) if squared else error.mean()), len(error)) if len(error) else NOTHING

    return find


def _param(monitor: Mapping[str, Any], name: str, usual: float) -> float:
    return float(monitor.get("params", {}).get(name, usual))


def _guess(trees: Trees, live: Rows, rows: Places) -> _Guess | None:
    if not len(rows):
        return None
    each, error = trees.expected(live, rows), trees.errors(live)[rows]
    there = np.isfinite(error)
    outside = number_values(live.frame, live.reference, live.spec, "@outside")[rows] > 0
    said, known = (np.asarray(one.outcomes().prediction, float) for one in (live, trees.whole))
    beyond = (said[rows] < np.nanmin(known)) | (said[rows] > np.nanmax(known))
    features = len(live.spec.watched(live.reference))
    shares = (outside.mean() - min(1.0, 2 * features / (trees.whole.size + 1)), beyond.mean() - 2 / (trees.whole.size + 1))
    realised = float(error[there].mean()) if there.any() else np.nan
    return _Guess(_mean(each), len(rows), _mean(each[:, there]), int(there.sum()), realised, float(max(shares)))


def _mean(each: Numbers) -> _Mean:
    if not each.shape[1]:
        return _Mean(np.full(len(each), np.nan), np.nan)
    return _Mean(each.mean(1), float((each.mean(0) ** 2).mean()))


def _errors(trees: Trees, held: _Mean, rows: int, n: int) -> tuple[float, float]:
    """The estimate, and its variance."""
    labels = trees.relative * held.square / n
    sample = max(held.square - held.mean**2, 0.0) * rows / max(rows - 1, 1) * (1 / rows - 1 / n)
    reference = (_FOLDS - 1) / _FOLDS * float(((held.each - held.mean) ** 2).sum())
    variance = labels + sample + reference
    return (float(np.sqrt(held.mean)), variance / (4 * held.mean)) if trees.squared else (held.mean, variance)


def _told(trees: Trees, one: _Guess | None) -> tuple[float, float] | None:
    """How far labels are from the estimate for the rows that have them, and the variance of that; None if there are too few."""
    if one is None or one.labels < max(30, one.rows / 2):
        return None
    expected, variance = _errors(trees, one.labelled, one.labels, one.labels)
    return expected - (float(np.sqrt(one.realised)) if trees.squared else one.realised), variance


def _judged(trees: Trees, held: _Guess, n: int, before: list[_Guess | None]) -> Found:
    value, variance = _errors(trees, held.sampled, held.rows, n)
    beyond = [told[0] ** 2 - told[1] for told in (_told(trees, one) for one in before) if told]
    half = _Z * np.sqrt(variance + max(0.0, float(np.mean(beyond)) if beyond else 0.0))
    own = _told(trees, held)
    expected = held.labelled.mean if not trees.squared else float(np.sqrt(held.labelled.mean))
    wrong = own is not None and abs(own[0]) > max(_TOLERANCE * expected, 3 * np.sqrt(own[1]))
    return Found(value, n, max(value - half, 0.0), value + half, broken=bool(wrong or held.outside > _OUTSIDE))
