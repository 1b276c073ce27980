"""How bad each row is for a measure, such that the measure, or what the causes of its change are told of, is made of the mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from core.block import Categories, Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import Column, Contract, Task
from core.measure import Family, Measure
from detectors.cause.way import Way
from detectors.drift.psi import PRIOR, merged
from detectors.summary.loss import LOSSES, LossRows

_NUMBERS = {"mae": "absolute", "mse": "square", "rmse": "square", "bias": "error", "smape": "symmetric", "wape": "absolute", "r2": "square"}
_SCORES = {
    "log_loss": "log",
    "brier": "quadratic",
    "roc_auc": "quadratic",
    "pr_auc": "quadratic",
    "gini": "quadratic",
    "lift_at_k": "quadratic",
}
_EXACT = ("mae", "mse", "rmse", "bias", "smape", "log_loss", "brier", "accuracy")
_OF_CLASS = ("precision", "recall", "specificity", "fpr", "fnr")  # of which the rows of one class count, or those of all others


def of_outcomes(about: Measure, params: Mapping[str, Any], contract: Contract, outcomes: Outcomes) -> Floats:
    """How bad each labelled row is (n,), NaN where it does not count: a loss for measures that are the mean of one, else the loss that stands for them.

    Those are the Brier score for measures of ranks, 1 for a wrong class, and the absolute error of numbers.
    """
    measure = _named(about).removeprefix("estimated_")
    name = (_NUMBERS if contract.task is Task.REGRESSION else _SCORES).get(measure, "absolute" if contract.task is Task.REGRESSION else "")
    if name:
        found = LOSSES[name].of(LossRows(contract, outcomes))
        return np.where(np.isfinite(found), found, np.nan)
    said, true = outcomes.prediction, outcomes.label
    if not isinstance(said, Categories) or not isinstance(true, Categories):
        return np.full(len(outcomes), np.nan)
    predicted, label = (_texts(contract, one) for one in (said, true))
    wrong = np.asarray(predicted != label, np.float64)
    judged = _judged(measure, params, contract)
    if judged is None:
        return wrong
    said_so, is_so = (np.asarray(one == judged, np.bool_) for one in (predicted, label))
    counted = {"precision": said_so, "recall": is_so, "fnr": is_so}.get(measure, ~is_so)
    bad = said_so.astype(np.float64) if measure in {"specificity", "fpr"} else wrong
    return np.where(counted, bad, np.nan)


def way(about: Measure, params: Mapping[str, Any], contract: Contract, mean: float) -> Way:
    """How the mean harm of labelled rows becomes the measure; `mean` is that of the target's rows, which gives a signed measure its direction."""
    measure = _named(about)
    exact = (
        (measure in _EXACT or _judged(measure, params, contract) is not None)
        and not params.get("weighted")
        and params.get("threshold") is None
    )
    if not exact:
        return Way(exact=False)

    def worse(value: Floats, usual: Floats) -> Floats:
        return np.asarray(about.worse(value, usual, against=True), np.float64)

    value: Callable[[Floats], Floats] = np.asarray
    if measure == "rmse":
        value = np.sqrt
    elif about.better > 0:
        value = _complement
    if about.signed:  # how much further a slice moves the whole from 0, in the direction in which it lies; the harm is above 0 there
        sign = -1.0 if mean < 0 else 1.0
        return Way(lambda harm: np.asarray(sign * harm), lambda value, usual: np.asarray(sign * (value - usual)))
    return Way(value, worse)


def of_bins(about: Measure, column: Column, target: Ints, baseline: Ints, groups: Ints) -> tuple[Floats, Floats, float] | None:
    """How much each row of either side adds to a measure of one column, by the bin of its value (n,); and what is taken off. None for measures that are not of bins.

    For shares of rows it is 1 for a row of theirs. For drift it is ln(p / q) of the row's group, of whose differences PSI is the sum.
    """
    counted = _counted(about.name, column)
    if counted is not None:
        marks = np.isin(np.arange(column.bins), counted).astype(np.float64)
        return marks[target], marks[baseline], 0.0
    if about.family != "drift" or not len(target) or not len(baseline):
        return None
    counts = [np.bincount(codes, minlength=column.bins).astype(np.float64) for codes in (target, baseline)]
    own, other, left = merged(counts[0], counts[1], groups)
    p, q = (np.where(left, side + PRIOR, 0.0) for side in (own, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        by_group = np.where(left, np.log((p / p.sum()) / (q / q.sum())), np.nan)
    pool = by_group[-1] if left[-1] else by_group[int(np.argmin(np.where(left, own + other, np.inf)))]
    by_bin = np.where(np.isnan(by_group), pool, by_group)[groups]
    return by_bin[target], by_bin[baseline], float(by_bin[baseline].mean())


def _counted(measure: str, column: Column) -> list[int] | None:
    """The bins whose rows a share counts; None for other measures."""
    match measure:
        case "quality.null_rate":
            return [column.null]
        case "quality.invalid_rate":
            return [column.invalid]
        case "quality.unseen_category_rate":
            return [] if column.numeric else [column.values + 1]
    return None


def _named(about: Measure) -> str:
    """The name within its family, by which a loss is chosen; "" for a user measure, which may be called as a measure that it is not."""
    return "" if about.family is Family.USER else about.name.partition(".")[2]


def _judged(measure: str, params: Mapping[str, Any], contract: Contract) -> str | None:
    """The class of which a rate is; None for other measures and for averages over classes."""
    if measure not in _OF_CLASS:
        return None
    usual = contract.positive if contract.task is Task.BINARY and not params.get("average") else None
    return str(params["class"]) if params.get("class") is not None else usual


def _texts(contract: Contract, values: Categories) -> np.ndarray[Any, np.dtype[np.object_]]:
    meant = Classes.of(contract).column(values)
    return np.asarray(meant.texts, np.object_)[meant.codes] if len(meant.texts) else np.zeros(0, np.object_)


def _complement(mean: Floats) -> Floats:
    return np.asarray(1.0 - mean)
