"""Performance of a group of labelled rows (docs/measures.md), by scikit-learn where it has the same rule.

A year has tens of thousands of small groups, for which scikit-learn's checks of its arguments take hundreds of times longer than the sums. So F1
and AUC of two classes are written out; `test_performance.py` holds them to scikit-learn's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.metrics import f1_score, precision_score


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


def measure(name: str, rows: Labelled, *, positive: str | None) -> tuple[float | None, int]:
    """The value (None: not estimable) and the n of a measure; `positive` is None but for a binary model."""
    if name == "roc_auc":
        return _roc_auc(rows)
    if len(rows) == 0:
        return None, 0
    return _of_rows(name, rows, positive), len(rows)


def _of_rows(name: str, rows: Labelled, positive: str | None) -> float | None:
    if name == "mae":
        return float(np.mean(np.abs(_numbers(rows.label) - _numbers(rows.prediction))))
    if name == "rmse":
        return float(np.sqrt(np.mean((_numbers(rows.label) - _numbers(rows.prediction)) ** 2)))
    if name == "accuracy":
        return float(np.mean(rows.label == rows.prediction))
    if name == "precision":
        return _precision(rows, positive)
    assert name == "f1", name
    if positive is None:
        return float(f1_score(rows.label.astype(str), rows.prediction.astype(str), average="macro"))
    return f1(rows.label == positive, rows.prediction == positive)


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


def _precision(rows: Labelled, positive: str | None) -> float | None:
    if positive is None:
        return float(precision_score(rows.label.astype(str), rows.prediction.astype(str), average="macro", zero_division=0))
    said = rows.prediction == positive
    return float(np.mean(rows.label[said] == positive)) if said.any() else None


def _roc_auc(rows: Labelled) -> tuple[float | None, int]:
    if not rows.scores:
        return None, 0
    areas = []
    for name, score in rows.scores.items():
        scored = ~np.isnan(score)
        label = rows.label[scored] == name
        if label.any() and not label.all():
            areas.append(roc_auc(label, score[scored]))
    return (float(np.mean(areas)) if areas else None), int(np.any([~np.isnan(score) for score in rows.scores.values()], axis=0).sum())
