"""Gaps in numbers that a regression predicts: what is predicted for groups, and how wrong it is."""

from __future__ import annotations

import numpy as np

from core.contract import Task
from detectors.by_group import LossesByGroup, MomentsByGroup
from detectors.fairness.comparison import Comparison, about, compared
from detectors.fairness.figure import Mean
from detectors.fairness.option import GapParams, settled
from detectors.spec import Spec

_UNITS = {"unit": "target units", "tasks": (Task.REGRESSION,)}


def predictions(groups: MomentsByGroup, params: GapParams) -> Comparison:
    """The gap in mean predictions; groups with panes from before moments were kept are left out."""
    of = groups.of
    mean = Mean(np.where(of.known, of.total, np.nan), of.finite, of.square, of.column.middle)
    return Comparison(groups, {"mean": mean}, params, labelled=False)


def errors(groups: LossesByGroup, params: GapParams) -> Comparison:
    """The gap in mean absolute errors."""
    of = groups.of.of["absolute"]
    return Comparison(groups, {"mae": Mean(of.total, of.count, of.square)}, params)


MEAN_PREDICTION = Spec(
    about=about(
        "mean_prediction_gap",
        "Mean prediction gap",
        "largest mean prediction of a group - smallest",
        brief="Prediction gap",
        requires=(),
        **_UNITS,
    ),
    evidence=MomentsByGroup,
    compute=compared(predictions),
    no_value="no group has a value",
    params=GapParams,
    settle=settled,
)
ERROR = Spec(
    about=about("error_gap", "Error gap", "largest mean absolute error of a group - smallest", **_UNITS),
    evidence=LossesByGroup,
    compute=compared(errors),
    no_value="no group has a value",
    params=GapParams,
    settle=settled,
)
SPECS = (MEAN_PREDICTION, ERROR)
