"""How much each row adds to the gap of a fairness measure between two groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.block import Categories, Floats
from core.classes import Classes
from core.contract import Contract, Task
from detectors.cause.rows import Flags
from monitors.cause.sides import Side

_NAMED = {
    "equal_opportunity_difference": "tpr",
    "predictive_parity_difference": "precision",
    "fpr_parity": "fpr",
    "fnr_parity": "fnr",
    "fdr_parity": "fdr",
    "for_parity": "for",
    "equalized_odds_difference": "tpr",
    "average_odds_difference": "tpr",
    "accuracy_parity": "accuracy",
}
LABELLED = frozenset(_NAMED.values())


def rate_of(measure: str, told: str | None) -> str:
    """The rate that a fairness measure compares: that of its evidence, its own, or the rate at which the positive class is predicted."""
    return told if told in LABELLED else _NAMED.get(measure.partition(".")[2], "selection")


def figures(contract: Contract, side: Side, rate: str, positive: str) -> Floats:
    """What each row gives the figure of its group, whose mean it is (n,); NaN for rows that do not count. Of a regression: the error, or the prediction where no label is needed."""
    if contract.task is Task.REGRESSION:
        said = np.asarray(side.block.prediction, np.float64)
        return said - np.asarray(side.label, np.float64) if rate != "selection" else said
    predicted = _is(contract, side.block.prediction, positive)
    if rate == "selection":
        return predicted.astype(np.float64)
    true, known = _is(contract, side.label, positive), np.zeros(len(side), np.bool_)
    known[side.labelled] = True
    cells: dict[str, tuple[Flags, Flags]] = {
        "tpr": (true, predicted),
        "fpr": (~true, predicted),
        "fnr": (true, ~predicted),
        "precision": (predicted, true),
        "fdr": (predicted, ~true),
        "for": (~predicted, true),
        "accuracy": (known, predicted == true),
    }
    among, counted = cells[rate]
    return np.where(among & known, counted.astype(np.float64), np.nan)


def harm(figure: Floats, high: Flags, low: Flags) -> Floats:
    """How much each row adds to the gap (n,): the mean of it is the mean figure of the group that has more less that of the other."""
    known = ~np.isnan(figure)
    shares = [max(1, int((group & known).sum())) / max(1, int(known.sum())) for group in (high, low)]
    return np.where(known, figure * (high / shares[0] - low / shares[1]), np.nan)


def between(figure: Floats, high: Flags, low: Flags) -> Callable[[Flags], float]:
    """The gap among the rows of a mask; NaN where a group has none."""

    def gap(where: Flags) -> float:
        sides = [figure[where & group & ~np.isnan(figure)] for group in (high, low)]
        return float(sides[0].mean() - sides[1].mean()) if all(len(one) for one in sides) else float("nan")

    return gap


def _is(contract: Contract, values: Categories | Floats, positive: str) -> Flags:
    if not isinstance(values, Categories):
        return np.zeros(len(values), np.bool_)
    meant = Classes.of(contract).column(values)
    return (
        np.array([text == positive for text in meant.texts], np.bool_)[meant.codes] if len(meant.texts) else np.zeros(len(values), np.bool_)
    )
