"""How well a classifier tells the rows of the window from those of the baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.error import ConfigError
from core.measure import Subject
from detectors.contribution import MOST
from detectors.drift.comparison import about
from detectors.interval import hanley_mcneil
from detectors.performance.roc_auc import roc_auc
from detectors.sample import FOLDS, LEAST, Separated, Separation
from detectors.spec import NoParams, Places, Result, Spec, estimable

_TREES, _LEAVES = 50, 15
_PERMUTED = 2_000  # rows of a fold of which a column is permuted at most
_SEED = 1
FEW = f"a side has less than {LEAST} sampled rows"
GONE = "raw events of a side are not there any more"


def separate(x: Floats, moved: npt.NDArray[np.bool_], fold: Ints) -> Separated:
    """How well gradient-boosted trees tell the rows that are `moved` from the others, out of fold.

    x: (rows, columns), NaN for a missing value; moved: (rows,); fold: (rows,), each in [0, `FOLDS`). Rows of a fold are scored by trees that were trained on the other
    folds, and compared with one another only; the result is the mean over the folds that have rows of both sides, NaN if none has. A column without a value in the rows of
    training tells nothing. It runs on one core, which also makes it the same each time. Raises ConfigError where scikit-learn is not installed.

    Source: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests"; `sklearn.ensemble.HistGradientBoostingClassifier`; permutation importance of Breiman 2001.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ConfigError(
            f"drift.domain_classifier needs scikit-learn, which cannot be imported: {error}",
            remedy="install `watchkeeper[server]`, or delete the monitor",
        ) from error
    auc, importance = list[float](), list[Floats]()
    with threadpool_limits(1, "openmp"):
        for held in range(FOLDS):
            own = fold == held
            if not (both(moved[own]) and both(moved[~own])):
                continue
            trees = HistGradientBoostingClassifier(max_iter=_TREES, max_leaf_nodes=_LEAVES, early_stopping=False, random_state=_SEED)
            known = np.where(np.isnan(x[~own]).all(0), 0.0, x)  # scikit-learn refuses a column without any value
            trees.fit(known[~own], moved[~own])
            auc.append(_auc(trees, known[own], moved[own]))
            some = _order(int(own.sum()))[:_PERMUTED]  # not the first ones, which are of one side
            importance.append(_falls(trees, known[own][some], moved[own][some]))
    if not auc:
        return Separated.nothing(x.shape[1])
    return Separated(float(np.mean(auc)), np.mean(importance, axis=0))


def both(moved: npt.NDArray[np.bool_]) -> bool:
    """Whether there are rows of either side."""
    return bool(moved.any() and not moved.all())


def _order(rows: int) -> Ints:
    """Places in an order by chance, the same each time."""
    return np.random.Generator(np.random.PCG64(_SEED)).permutation(rows)


def _auc(trees: Any, x: Floats, moved: npt.NDArray[np.bool_]) -> float:
    return float(roc_auc(np.zeros(len(x), np.int64), 1, moved, trees.predict_proba(x)[:, 1])[0])


def _falls(trees: Any, x: Floats, moved: npt.NDArray[np.bool_]) -> Floats:
    """By how much the area falls if a column is permuted: (columns,); zeros if the rows are all of one side."""
    fall = np.zeros(x.shape[1])
    if not both(moved):
        return fall
    order, whole = _order(len(x)), _auc(trees, x, moved)
    for place in range(x.shape[1]):
        mixed = x.copy()
        mixed[:, place] = x[order, place]
        fall[place] = whole - _auc(trees, mixed, moved)
    return fall


def _compute(target: Separation, baseline: Separation | None, _params: NoParams) -> Result:
    if baseline is None:
        return Result(np.full(target.n.shape, np.nan))
    value, why = estimable(
        target.auc,
        (target.gone, GONE),
        ((target.rows < LEAST) | (target.baseline_rows < LEAST), FEW),
    )

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        return hanley_mcneil(value, target.rows / phi, target.baseline_rows / phi)

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = (one[places].tolist() for one in (target.rows, target.baseline_rows))
        return [
            {"rows": int(rows), "baseline_rows": int(others), "contributions": _contributions(target.columns, falls)}
            for rows, others, falls in zip(*found, target.importance[places], strict=True)
        ]

    return Result(value, why, interval, evidence=evidence)


def _contributions(columns: tuple[str, ...], falls: Floats) -> list[dict[str, Any]]:
    """The columns without which the area falls most, `share` being their part of all falls."""
    kept = np.maximum(np.nan_to_num(falls), 0.0)
    order = np.argsort(-np.round(kept, 12), kind="stable")[:MOST].tolist()
    return [
        {"column": columns[place], "importance": float(kept[place]), "share": float(kept[place] / kept.sum())}
        for place in order
        if kept[place] > 0
    ]


SPEC = Spec(
    about=about(
        "domain_classifier",
        "Domain classifier",
        "ROC AUC of boosted trees that tell sampled rows of the window from those of the baseline, out of fold; 0.5 where nothing moved",
        "Domain AUC",
        unit="area",
        subject=Subject.MODEL,
        better=-1,
        tested=False,
    ),
    evidence=Separation,
    compute=_compute,
    no_value="no fold has rows of both sides",
    background=True,
    trained=True,
)
