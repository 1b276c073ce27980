"""Performance of a group of labelled rows (docs/measures.md), by scikit-learn where it has the same rule.

A year has tens of thousands of small groups, for which scikit-learn's checks of its arguments take hundreds of times longer than the sums. So F1
and AUC of two classes are written out; `test_performance.py` holds them to scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm, rankdata
from sklearn.metrics import (
    average_precision_score,
    cohen_kappa_score,
    f1_score,
    fbeta_score,
    log_loss,
    matthews_corrcoef,
    mean_pinball_loss,
    precision_score,
    r2_score,
    recall_score,
)

from tests.oracle.column import wilson
from tests.oracle.sample import Value


@dataclass(frozen=True)
class Labelled:
    """Labelled rows: texts of classes, or numbers in regression; `scores` one column a class, NaN where there is none."""

    prediction: npt.NDArray[np.object_] | npt.NDArray[np.float64]
    label: npt.NDArray[np.object_] | npt.NDArray[np.float64]
    scores: dict[str, npt.NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Labelled:
        """Some of the rows."""
        return Labelled(self.prediction[rows], self.label[rows], {name: score[rows] for name, score in self.scores.items()})


Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
NONE = Value(None)


def measure(name: str, rows: Labelled, params: Mapping[str, Any], *, positive: str | None) -> tuple[Value, int]:
    """The value and the n of a measure; `positive` is None but for a binary model."""
    if name in {"roc_auc", "gini"}:
        found, n = _roc_auc(rows)
        value, lower, upper = (None if one is None else 2 * one - 1 for one in found[:3])
        return (Value(value, lower, upper) if name == "gini" else found), n
    if name in {"log_loss", "brier", "pr_auc", "lift_at_k"}:
        return _of_scores(name, rows, params)
    if "threshold" in params:
        rows = _at_threshold(rows, params["threshold"])
    if len(rows) == 0:
        return NONE, 0
    if positive is None and not rows.scores and rows.label.dtype.kind == "f":
        return Value(_of_errors(name, _numbers(rows.label), _numbers(rows.prediction), params)), len(rows)
    return _of_classes(name, rows, params, positive), len(rows)


def _of_errors(name: str, true: Numbers, said: Numbers, params: Mapping[str, Any]) -> float | None:
    error = said - true
    sizes = np.abs(true)
    found: dict[str, Callable[[], float | None]] = {
        "mae": lambda: float(np.mean(np.abs(error))),
        "rmse": lambda: float(np.sqrt(np.mean(error**2))),
        "mse": lambda: float(np.mean(error**2)),
        "bias": lambda: float(np.mean(error)),
        "max_error": lambda: float(np.abs(error).max()),
        "mape": lambda: float(np.mean(np.abs(error[sizes > 0]) / sizes[sizes > 0])) if sizes.any() else None,
        "smape": lambda: float(np.mean(2 * np.abs(error) / np.where((said == 0) & (true == 0), 1, np.abs(said) + sizes))),
        "wape": lambda: float(np.abs(error).sum() / sizes.sum()) if sizes.any() and np.isfinite(sizes.sum()) else None,
        "r2": lambda: float(r2_score(true, said)) if np.ptp(true) > 0 else None,
        "quantile_loss": lambda: float(mean_pinball_loss(true, said, alpha=params.get("q", 0.5))),
    }
    return found[name]()


def _of_classes(name: str, rows: Labelled, params: Mapping[str, Any], positive: str | None) -> Value:
    if name == "accuracy":
        return _share(rows.label == rows.prediction)
    true, said = rows.label.astype(str), rows.prediction.astype(str)
    if name in {"balanced_accuracy", "mcc", "kappa"}:
        return Value(_of_all(name, true, said))
    if name == "value":
        return Value(float(np.mean([_cost(params, *pair, positive) for pair in zip(said, true, strict=True)])))
    one = str(params["class"]) if "class" in params else None if "average" in params else positive
    if one is None:
        return Value(_average(name, true, said, params))
    mine, named = true == one, said == one
    if name == "f1":
        return Value(f1(mine, named))
    if name == "fbeta":
        return Value(float(fbeta_score(mine, named, beta=params.get("beta", 1.0))) if mine.any() or named.any() else None)
    among = {"precision": named, "recall": mine, "fnr": mine, "specificity": ~mine, "fpr": ~mine}[name]
    counted = {"precision": mine, "recall": named, "fnr": ~named, "specificity": ~named, "fpr": named}[name]
    return _share(counted[among])


def _average(name: str, true: npt.NDArray[np.str_], said: npt.NDArray[np.str_], params: Mapping[str, Any]) -> float:
    score = {"precision": precision_score, "recall": recall_score, "f1": f1_score}[name]
    return float(score(true, said, average=params.get("average", "macro"), zero_division=0))


def _of_all(name: str, true: npt.NDArray[np.str_], said: npt.NDArray[np.str_]) -> float | None:
    kinds = len(set(true)), len(set(said)), len({*true, *said})
    if name == "balanced_accuracy":
        return float(np.mean([np.mean(said[true == one] == one) for one in set(true)]))
    if name == "mcc":
        return float(matthews_corrcoef(true, said)) if min(kinds) > 1 else None
    return float(cohen_kappa_score(true, said)) if kinds[2] > 1 else None


def _cost(params: Mapping[str, Any], said: str, true: str, positive: str | None) -> float:
    if "costs" in params:
        return float(params["costs"].get(f"{said}>{true}", 0.0))
    cell = ("t" if (said == positive) == (true == positive) else "f") + ("p" if said == positive else "n")
    return float(params.get(cell, 0.0))


def _share(counted: Flags) -> Value:
    """The share of rows that are counted, with its interval."""
    return Value(float(counted.mean()), *wilson(int(counted.sum()), len(counted))) if len(counted) else NONE


def _at_threshold(rows: Labelled, threshold: float) -> Labelled:
    """The rows with a score of a binary model, predicted anew."""
    ((positive, score),) = rows.scores.items()
    scored = rows.take(~np.isnan(score))
    said = np.where(scored.scores[positive] >= threshold, positive, f"not {positive}").astype(object)
    true = np.where(scored.label == positive, positive, f"not {positive}").astype(object)
    return Labelled(said, true, scored.scores)


def _of_scores(name: str, rows: Labelled, params: Mapping[str, Any]) -> tuple[Value, int]:
    """Of a binary model."""
    if not rows.scores:
        return NONE, 0
    ((positive, score),) = rows.scores.items()
    there = ~np.isnan(score)
    true, said = (rows.label == positive)[there], score[there]
    if not len(said):
        return NONE, 0
    if name == "pr_auc":
        return Value(float(average_precision_score(true, said)) if true.any() else None), len(said)
    if name == "lift_at_k":
        most = int(np.ceil(round(params.get("share", 0.1) * len(said), 9)))
        together = pd.Series(true.astype(float)).groupby(said).transform("mean").to_numpy()  # rows of one score come in any order
        return Value(float(together[np.argsort(-said)][:most].mean() / true.mean()) if true.any() else None), len(said)
    if name == "brier":
        return Value(float(np.mean((said - true) ** 2))), len(said)
    return Value(float(log_loss(true, said, labels=[False, True]))), len(said)


def _numbers(values: npt.NDArray[np.object_] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(values, np.float64)


def f1(label: npt.NDArray[np.bool_], prediction: npt.NDArray[np.bool_]) -> float | None:
    """F1 of two classes: 2 tp / (2 tp + fp + fn). None where nothing is positive, neither by the label nor by the prediction."""
    positives = int(label.sum() + prediction.sum())
    return 2 * int((label & prediction).sum()) / positives if positives else None


def roc_auc(label: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> float:
    """The share of pairs of a positive and a negative that the score puts in order; of equal scores half (Mann and Whitney). There is one of each at least."""
    positives = int(label.sum())
    pairs = positives * (len(label) - positives)
    return float((rankdata(score)[label].sum() - positives * (positives + 1) / 2) / pairs)


def _roc_auc(rows: Labelled) -> tuple[Value, int]:
    if not rows.scores:
        return NONE, 0
    areas, sides = [], []
    for name, score in rows.scores.items():
        scored = ~np.isnan(score)
        label = rows.label[scored] == name
        if label.any() and not label.all():
            areas.append(roc_auc(label, score[scored]))
            sides.append((int(label.sum()), int((~label).sum())))
    interval = _of_area(areas[0], *sides[0]) if len(rows.scores) == 1 and areas else (None, None)
    return Value(float(np.mean(areas)) if areas else None, *interval), int(
        np.any([~np.isnan(score) for score in rows.scores.values()], axis=0).sum()
    )


def _of_area(area: float, positive: int, negative: int) -> tuple[float, float]:
    """Newcombe's interval: the areas whose standard error by Hanley and McNeil makes this one the bound of what is likely."""
    z = float(norm.ppf(0.975))

    def surprise(theta: float) -> float:
        half = (positive + negative) / 2 - 1
        likely = theta * (1 - theta) / (positive * negative) * (1 + half * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        return float((area - theta) ** 2 - z**2 * likely)

    lower = brentq(surprise, 0, min(area, 1 - 1e-9), xtol=1e-13) if area > 0 else 0.0
    upper = brentq(surprise, max(area, 1e-9), 1, xtol=1e-13) if area < 1 else 1.0
    return float(lower), float(upper)
