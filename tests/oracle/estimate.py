"""Performance estimated from scores (docs/measures.md), row by row: calibrated chances of the reference, their resampled ones, and what labels of windows before say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import isotonic_regression

from tests.oracle.rows import Rows

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MEASURES = {"performance.estimated_accuracy", "performance.estimated_f1", "performance.estimated_roc_auc"}
_EARLIER, _OUTSIDE, _TOLERANCE = 7, 0.05, 0.05
_DRAWS, _SEED, _OWN, _KNOWN, _DOUBT = 100, 30, 500, 10, 0.02
_Z = 1.959963984540054


class Estimated(NamedTuple):
    """A value with its interval, the rows with a score, and whether what it assumes is broken."""

    value: float | None
    n: int
    lower: float | None = None
    upper: float | None = None
    broken: bool = False


class _Guess(NamedTuple):
    """An estimate, and its two variances, of n rows; and of the rows whose labels have come, with what these give."""

    value: float
    sampling: float
    calibration: float
    n: int
    labelled: _Labelled


class _Labelled(NamedTuple):
    """How many labels there are of rows with a score, how far what they give is from what is expected for them, squared, and the variance of that by chance."""

    n: int
    square: float
    variance: float


class Scores:
    """The scores of a binary model's reference, by bin."""

    def __init__(self, whole: Rows) -> None:
        self.whole, self.positive = whole, whole.spec.positive
        found = whole.outcomes()
        score, self.labelled = found.scores[self.positive], whole.labelled
        known = self.labelled & ~np.isnan(score)
        own = found.label == self.positive
        logit = 1 / (1 + np.exp(-np.linspace(-10, 10, 101)))
        sides = [score[known & side] for side in (own, ~own)]
        self.edges = np.unique(
            [*logit, *(one for side in sides for one in np.quantile(side, np.arange(1, 100) / 100, method="inverted_cdf"))]
        )
        self.bin = self.bins(score)
        self._counts = {
            segment: np.stack([np.bincount(self.bin[rows & known & side], minlength=len(self.edges) + 1) for side in (own, ~own)])
            for grouping in whole.spec.groupings
            for segment in set(whole.segments[grouping].tolist())
            for rows in (whole.segments[grouping] == segment,)
        }
        self.chances = cache(self._chances)

    def bins(self, score: Numbers) -> Places:
        """The bin of each score; that of NaN means nothing."""
        return np.searchsorted(self.edges, score, side="right")

    @property
    def rows(self) -> Places:
        """The labelled rows of the reference by bin."""
        return np.asarray(self._counts["all"].sum(0))

    def _chances(self, segment: str) -> tuple[Numbers, Numbers]:
        held = self._counts.get(segment, np.zeros((2, 1)))
        held = held if (held.sum(1) >= _OWN).all() else self._counts["all"]
        drawn = np.random.Generator(np.random.PCG64(_SEED)).poisson(held.astype(float), (_DRAWS, *held.shape))
        if (held.sum(1) < _KNOWN).any():
            return np.full(held.shape[1], np.nan), np.full((_DRAWS, held.shape[1]), np.nan)
        return _isotonic(held), np.stack([_isotonic(one) for one in drawn])


def _isotonic(held: npt.NDArray[Any]) -> Numbers:
    rows, bins = held.sum(0), np.arange(held.shape[1])
    there = rows > 0
    fitted = isotonic_regression(held[0, there] / rows[there], sample_weight=rows[there].astype(float))
    return np.asarray(np.interp(bins, bins[there], fitted), np.float64)


def of(name: str, live: Rows, scores: Scores, grouping: tuple[str, ...], length: int, every: int) -> Mapping[tuple[int, str], _Guess]:
    """The estimate of each window and segment that has a prediction with a score."""
    outcomes = live.outcomes()
    score, said = outcomes.scores[scores.positive], outcomes.prediction == scores.positive
    own, bins = outcomes.label == scores.positive, scores.bins(score)
    found = {}
    for key, rows in live.members(grouping, length, every if length else 0, False).items():
        chance, _ = scores.chances(key[1])
        scored, labelled = rows[~np.isnan(score[rows])], rows[live.labelled[rows]]
        if not len(scored):
            continue
        weight = np.ones(len(scored))
        value, sampling, calibration = _estimate(name, scores.chances(key[1]), said[scored], bins[scored], weight)
        with_score = labelled[~np.isnan(score[labelled])]
        weight = (np.bincount(bins[with_score], minlength=len(chance)) / np.maximum(np.bincount(bins[scored], minlength=len(chance)), 1))[
            bins[scored]
        ]
        expected, *variances = _estimate(name, scores.chances(key[1]), said[scored], bins[scored], weight)
        of_labels = with_score if name == "roc_auc" else labelled
        realised = _of(name, own[of_labels].astype(float), said[of_labels], bins[of_labels], np.ones(len(of_labels)))[0]
        below = {"accuracy": len(labelled), "f1": (said[labelled].sum() + own[labelled].sum()) / 2, "roc_auc": np.inf}[name]
        doubt = (len(labelled) - len(with_score)) / below if below else np.nan
        square = max(abs(expected - realised) - doubt, 0.0) ** 2 if doubt <= _DOUBT and not np.isnan(expected - realised) else np.nan
        found[key] = _Guess(value, sampling, calibration, len(scored), _Labelled(len(with_score), square, sum(variances)))
    return found


def _estimate(
    name: str, chances: tuple[Numbers, Numbers], said: npt.NDArray[np.bool_], bins: Places, weight: Numbers
) -> tuple[float, float, float]:
    """The estimate for rows, each of which counts `weight` times, and its two variances."""
    chance, drawn = chances
    p = chance[bins]
    value, influence = _of(name, p, said, bins, weight)
    with np.errstate(invalid="ignore"):
        moved = (drawn[:, bins] - p) @ (weight * influence)
        return value, float((weight * influence**2 * p * (1 - p)).sum()), float(moved.var() + 4 * moved.mean() ** 2)


def _of(name: str, p: Numbers, said: npt.NDArray[np.bool_], bins: Places, weight: Numbers) -> tuple[float, Numbers]:
    """The measure of rows that are positive with chance p, and how much it grows with each p, by its weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if name == "accuracy":
            total = np.float64(weight.sum())
            return float((weight * np.where(said, p, 1 - p)).sum() / total), np.where(said, 1.0, -1.0) / total
        if name == "f1":
            tp, below = np.float64((weight * p)[said].sum()), np.float64(weight[said].sum() + (weight * p).sum())
            return float(2 * tp / below), np.where(said, 2 / below, 0.0) - 2 * tp / below**2
        own, others = np.bincount(bins, weight * p), np.bincount(bins, weight * (1 - p))
        wins = np.cumsum(others) - others / 2
        loses = own.sum() - np.cumsum(own) + own / 2
        value = (own * wins).sum() / (own.sum() * others.sum())
        slope = (wins - loses) / (own.sum() * others.sum()) + value / others.sum() - value / own.sum()
        return float(value), slope[bins]


def _apart(one: _Guess) -> _Labelled | None:
    """What labels tell; None if there are too few."""
    held = one.labelled
    return None if held.n < max(30, one.n / 2) or np.isnan(held.square) else held


def judged(found: Mapping[tuple[int, str], _Guess], place: tuple[int, str], length: int, outside: float) -> Estimated:
    """The estimate of a place; `outside` is the share of its rows with a feature beyond the reference, less that by chance."""
    one = found.get(place)
    if one is None:
        return Estimated(None, 0)
    if np.isnan(one.value):
        return Estimated(None, one.n)
    before = [
        _apart(found[start, place[1]]) for start in (place[0] - k * length for k in range(1, _EARLIER + 1)) if (start, place[1]) in found
    ]
    told = [held.square - held.variance for held in before if held]
    past = max(0.0, float(np.mean(told))) if told else 0.0
    half = _Z * np.sqrt(one.sampling + one.calibration + past)
    own = _apart(one)
    wrong = own is not None and np.sqrt(own.square) > max(_TOLERANCE, 3 * np.sqrt(own.variance))
    return Estimated(one.value, one.n, max(one.value - half, 0.0), min(one.value + half, 1.0), bool(wrong or outside > _OUTSIDE))


def beyond(live: Rows, scores: Scores, rows: Places) -> float:
    """The largest share of rows that lie where the reference has none, less that by chance: of scores, and of features if there are signals."""
    score = live.outcomes().scores[scores.positive][rows]
    without = (scores.rows[scores.bins(score)] == 0) & ~np.isnan(score)
    shares = [without.sum() / len(rows) - (scores.rows == 1).sum() / scores.rows.sum()]
    if live.spec.signals:
        features = len(live.spec.watched(live.reference))
        shares.append((live.values("@outside")[rows] >= 1).mean() - min(1.0, 2 * features / (scores.whole.size + 1)))
    return float(max(shares))


def lookup(
    monitor: Mapping[str, Any], both: tuple[Rows, Rows], grouping: tuple[str, ...], length: int, every: int, before: int
) -> Callable[[int, str], tuple[Estimated, Estimated | None]]:
    """The estimate of a place, and that of the reference or of a window that begins so much earlier; `both` are the reference and the stream."""
    name, against, (whole, live) = monitor["measure"].removeprefix("performance.estimated_"), monitor.get("baseline"), both
    scores = whole.once("scores", lambda: Scores(whole))
    found, of_reference = (of(name, rows, scores, grouping, span, every) for rows, span in ((live, length), (whole, 0)))
    members = live.members(grouping, length, every, False)

    def place(start: int, segment: str) -> Estimated:
        rows = members.get((start, segment))
        return judged(found, (start, segment), length, 0.0 if rows is None else beyond(live, scores, rows))

    def find(start: int, segment: str) -> tuple[Estimated, Estimated | None]:
        target = place(start, segment)
        if against is None or against != "reference":
            return target, None if against is None else place(start - before, segment)
        base = of_reference.get((0, segment))
        return target, Estimated(None, 0) if base is None else Estimated(base.value, base.n)

    return find
