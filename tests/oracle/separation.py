"""The domain classifier, from the text of docs/measures.md: which rows are drawn, how they are written for trees, and how these are judged."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from tests.oracle.bins import NumericBins
from tests.oracle.found import Asked, Found, Lookup, earlier
from tests.oracle.rows import Rows
from tests.oracle.sample import Value

MEASURE = "drift.domain_classifier"

Places = npt.NDArray[np.int64]
_MOST, _FOLDS, _LEAST, _Z = 20_000, 5, 50, 1.959963984540054


class Drawn(NamedTuple):
    """The rows that are drawn from a window, and those of these in a segment, which has n rows in all."""

    rows: Rows
    ids: list[str]
    whole: Places
    own: Places
    n: int


class Side:
    """The rows of a file, their ids, and the windows into which they are cut; a length of 0 is one window, 0."""

    def __init__(self, rows: Rows, ids: list[str], length: int, every: int, most: int = _MOST) -> None:
        self._rows, self._ids, self._cut, self._most = rows, ids, (length, every), most
        self._drawn = cache(self._draw)

    def at(self, grouping: tuple[str, ...], start: int, segment: str) -> Drawn:
        """The rows of a window that are drawn, and those of a segment."""
        some, inside = self._drawn(start), self._members(grouping, start, segment)
        return Drawn(self._rows, self._ids, some, some[np.isin(some, inside)], len(inside))

    def _draw(self, start: int) -> Places:
        """Those whose ids have the smallest MD5, in its order."""
        rows = self._members((), start, "all").tolist()
        return np.array(sorted(rows, key=lambda row: (_md5(self._ids[row]), self._ids[row]))[: self._most], np.int64)

    def _members(self, grouping: tuple[str, ...], start: int, segment: str) -> Places:
        return self._rows.members(grouping, *self._cut, False).get((start, segment), np.zeros(0, np.int64))


def of_rows(asked: Asked) -> Lookup:
    """How well a classifier tells the rows of a window from those of the reference, or of an earlier window."""
    monitor, _, whole, live, grouping, length, every, _ = asked
    against = monitor.get("baseline", "reference")
    own = Side(live, live.frame[live.spec.id].tolist(), length, every)
    reference = Side(whole, [str(place) for place in range(whole.size)], 0, 0)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target, base = own.at(grouping, start, segment), reference.at(grouping, 0, segment)
        if against != "reference":
            base = own.at(grouping, start - earlier(against, length), segment)
        value = separation(target, base)
        return Found(value.value, target.n, value.lower, value.upper), Found(None, base.n)

    return find


def _md5(one: str) -> bytes:
    return hashlib.md5(one.encode(), usedforsecurity=False).digest()


def fold_of(one: str) -> int:
    """The fold of a row, by its id."""
    return int.from_bytes(_md5(one)[8:], "big") % _FOLDS


def separation(here: Drawn, there: Drawn) -> Value:
    """The mean area over five folds, and Newcombe's interval."""
    if min(len(here.own), len(there.own)) < _LEAST:
        return Value(None)
    every = np.column_stack([_written(here, there, name) for name in here.rows.spec.watched(here.rows.reference)])
    inside = np.concatenate([np.isin(side.whole, side.own) for side in (here, there)])
    x, y = every[inside], (np.arange(len(every)) < len(here.whole))[inside]
    ids = [side.ids[row] for side in (here, there) for row in side.whole]
    fold = np.array([fold_of(one) for one in ids])[inside]
    areas = []
    with threadpool_limits(1, "openmp"):
        for held in range(_FOLDS):
            test = fold == held
            if len(set(y[test])) == 2:
                trees = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=15, early_stopping=False, random_state=1)
                known = np.where(np.isnan(x[~test]).all(axis=0), 0, x)  # a column without a value in training is a constant
                areas.append(roc_auc_score(y[test], trees.fit(known[~test], y[~test]).predict_proba(known[test])[:, 1]))
    value = float(np.mean(areas))
    return Value(value, *_newcombe(value, len(here.own), len(there.own)))


def _written(here: Drawn, there: Drawn, name: str) -> npt.NDArray[np.float64]:
    """Numbers by their rank among those of both sides, invalid last; texts by their bin; null is NaN."""
    bins = here.rows.binned(name)[0]
    if isinstance(bins, NumericBins):
        values = np.concatenate([side.rows.values(name)[side.whole] for side in (here, there)])
        order = {value: rank for rank, value in enumerate(sorted(set(values[~np.isnan(values)].tolist())))}
        return np.array([order.get(value, np.nan) for value in values.tolist()])
    codes = np.concatenate([side.rows.binned(name)[1][side.whole] for side in (here, there)]).astype(float)
    return np.where(codes == bins.null, np.nan, codes)


def _newcombe(area: float, n: int, m: int) -> tuple[float, float]:
    """The areas on either side from which this one is 1.96 standard errors away, by halving."""

    def apart(at: float) -> float:
        many = (n + m) / 2 - 1
        return (at - area) ** 2 - _Z**2 * at * (1 - at) * (1 + many * (1 - at) / (2 - at) + many * at / (1 + at)) / (n * m)

    found = []
    for end in (0.0, 1.0):
        near, far = area, end
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (near, middle) if apart(middle) > 0 else (middle, far)
        found.append(near)
    return found[0], found[1]
