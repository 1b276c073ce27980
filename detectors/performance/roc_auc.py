"""Area under the ROC curve: exactly from rows, or from score bins with a proven bound."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.documents import Documents
from detectors.evidence import Scores
from detectors.interval import hanley_mcneil
from detectors.spec import NoParams, Places, Result, Spec

Flags = npt.NDArray[np.bool_]


def roc_auc(group: Ints, groups: int, positive: Flags, score: Floats) -> Floats:
    """The probability that a positive row of a group has a higher score than a negative one; a tie counts half.

    group: (n,), each in [0, groups); positive, score: (n,), of which finite scores count. Returns (groups,), NaN where one class is missing.
    By ranks (Mann and Whitney 1947), in whole numbers up to the last division.
    """
    kept = np.isfinite(score)
    group, positive, score = group[kept], positive[kept], score[kept]
    order = np.lexsort((score, group))
    group, positive, score = group[order], positive[order], score[order]
    begins = np.searchsorted(group, np.arange(groups))
    place = np.arange(len(group))
    first = np.concatenate([[True], (score[1:] != score[:-1]) | (group[1:] != group[:-1])])[: len(group)]
    run = np.cumsum(first) - 1
    starts = np.append(place[first], len(group))
    twice_rank = starts[run] + starts[run + 1] + 1 - 2 * begins[group]  # ranks from 1; the mean rank of a run of ties, twice
    p = np.bincount(group[positive], minlength=groups)
    n = np.bincount(group, minlength=groups) - p
    total = np.bincount(group[positive], twice_rank[positive].astype(np.float64), groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total - p * (p + 1.0)) / (2.0 * p * n))


def mean_roc_auc(group: Ints, groups: int, positive: Flags, score: Floats) -> tuple[Floats, Ints]:
    """The plain mean of the AUC of K classes, each against the rest, over the classes that have rows on both sides; and the number of rows with any score.

    group: (n,); positive, score: (n, K). A row counts for each class that it has a score for. Returns (groups,) each; NaN where no class has both sides.
    """
    each = np.stack([roc_auc(group, groups, positive[:, k], score[:, k]) for k in range(score.shape[1])])
    have = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        mean = np.where(have, each, 0.0).sum(axis=0) / have.sum(axis=0)
    return mean, np.bincount(group[np.isfinite(score).any(axis=1)], minlength=groups)


def roc_auc_binned(positive: Floats, negative: Floats, positive_sum: Floats, negative_sum: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """AUC from counts and sums of scores by bin, and the bound of its error, sum p_j n_j / (2 P N); (value, bound), each (...).

    Counts and sums: (..., J) with J = len(edges) + 1; scores lie in [0, 1]. Within a bin AUC is 1/2 + (mean of positives - mean of negatives) / width,
    which differs from the exact value by at most 1/2. NaN where one class is missing.
    """
    width = np.diff(np.concatenate([[min(0.0, edges[0])], edges, [max(1.0, edges[-1])]]))
    p, n = positive.sum(-1), negative.sum(-1)
    pairs = positive * negative
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = (positive_sum / positive - negative_sum / negative) / width
        inside = np.where(pairs > 0, np.clip(0.5 + shift, 0.0, 1.0), 0.0)
        below = np.cumsum(negative, axis=-1) - negative
        value = (positive * below + pairs * inside).sum(-1) / (p * n)
        return value, pairs.sum(-1) / (2 * p * n)


def _spec(name: str, title: str, formula: str, of_area: Callable[[Floats], Floats], *, usual: bool) -> Spec[Scores, NoParams]:
    """The measure that is an increasing function of the area."""

    def compute(target: Scores, _baseline: Scores | None, _params: NoParams) -> Result:
        def interval(phi: Floats) -> tuple[Floats, Floats]:
            lower, upper = hanley_mcneil(target.roc_auc, target.positive / phi, (target.n - target.positive) / phi)
            return of_area(lower), of_area(upper)

        def evidence(places: Places) -> Documents:
            positive, bound = (np.broadcast_to(one, target.n.shape)[places].tolist() for one in (target.positive, target.bound))
            rows = [None if isnan(one) else int(one) for one in positive]
            return Documents(len(rows), positive=rows, bound=[one or None for one in bound])

        return Result(of_area(target.roc_auc), interval=interval, evidence=evidence)

    about = Measure(
        name=f"performance.{name}",
        title=title,
        formula=formula,
        unit="area" if usual else "",
        judged=Judged.WORSE,
        better=1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS, Need.SCORES),
        usual=usual,
    )
    return Spec(about=about, evidence=Scores, compute=compute, no_value="no class has a score both for rows of its own and for others")


SPEC = _spec("roc_auc", "ROC AUC", "P(score of a positive > score of a negative) + P(equal) / 2", lambda area: area, usual=True)
GINI = _spec("gini", "Gini coefficient", "2 ROC AUC - 1", lambda area: 2 * area - 1, usual=False)
