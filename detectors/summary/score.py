"""Scores: for which classes AUC is computed, and into which bins scores fall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Outcomes, Predictions
from core.classes import Classes
from core.contract import Contract, Task

LOGIT: tuple[float, ...] = tuple((1 / (1 + np.exp(-np.linspace(-10, 10, 101)))).tolist())  # 101 edges, evenly spaced in log odds
_QUANTILES = np.arange(1, 100) / 100


def judged(contract: Contract) -> tuple[str, ...]:
    """The classes for which AUC is computed: the positive one of a binary model, each class with a probability of a multiclass model, none of a regression."""
    if contract.task == Task.BINARY:
        return (contract.positive,)
    edges = contract.score_edges or (LOGIT,) * len(contract.classes)
    return tuple(name for name, cuts in zip(contract.classes, edges, strict=True) if cuts)


def scores(contract: Contract, outcomes: Outcomes | Predictions) -> Floats:
    """Each row's score for each judged class: (n, classes), NaN where the row has none for the class."""
    classes = judged(contract)
    if contract.task == Task.BINARY:
        return np.where(np.isfinite(outcomes.score), outcomes.score, np.nan)[:, None]
    if outcomes.probabilities is None or not classes:
        return np.full((len(outcomes), len(classes)), np.nan)
    held = outcomes.probabilities[:, [contract.classes.index(name) for name in classes]]
    return np.where(np.isfinite(held), held, np.nan)


def members(contract: Contract, label: Categories) -> npt.NDArray[np.bool_]:
    """Whether each row's label is each judged class: (n, classes)."""
    classes, known = judged(contract), Classes.of(contract)
    table = np.array([[known.name(text) == name for name in classes] for text in label.texts], np.bool_).reshape(-1, len(classes))
    return table[label.codes]


def score_edges(score: Floats, positive: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    """The edges for one class: the 99 inner quantiles of its own rows' scores and of the other rows', and 101 logit-spaced ones.

    score, positive: (n,); scores that are not finite do not count. Ascending and distinct.
    """
    parts = [score[np.isfinite(score) & side] for side in (positive, ~positive)]
    quantiles = [np.quantile(part, _QUANTILES, method="inverted_cdf") for part in parts if len(part)]
    return tuple((np.unique(np.concatenate([LOGIT, *quantiles])) + 0.0).tolist())


def edges_of(contract: Contract) -> tuple[tuple[float, ...], ...]:
    """The score edges of each judged class; the logit-spaced ones if the contract has none."""
    return tuple(cuts for cuts in contract.score_edges if cuts) or (LOGIT,) * len(judged(contract))
