"""The gap in calibration: whether a score means the same for each group, as a whole."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from core.contract import Contract
from core.error import ConfigError
from core.measure import Need
from detectors.by_group import ScoresByGroup
from detectors.certainty import ScoreTable
from detectors.fairness.comparison import Comparison, about, compared
from detectors.fairness.figure import Mean
from detectors.fairness.option import POINTS, PositiveParams, settled
from detectors.spec import Spec
from detectors.summary.score import judged


def miscalibration(table: ScoreTable) -> Mean:
    """The mean of label - score, where the label is 1 for the class and else 0: of tables (..., bins) to (...).

    Sums of scores are exact. Squares are those of the mean score of each bin's rows of the class, and of its other rows, which is near, since bins are narrow.
    """
    own, others = table.positive, table.negative
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        high, low = (np.where(rows > 0, total / rows, 0.0) for rows, total in ((own, table.positive_sum), (others, table.negative_sum)))
        square = (own * (1 - high) ** 2 + others * low**2).sum(-1)
        total = np.asarray(own.sum(-1) - table.score.sum(-1))
    return Mean(np.where(np.isfinite(total), total, np.nan), table.rows.sum(-1), square)


def compare(groups: ScoresByGroup, params: PositiveParams) -> Comparison:
    """The gap in how much too low scores are."""
    held = groups.of.of.get(str(params.positive))
    nothing: Floats = np.full(groups.each.shape, np.nan)
    figure = Mean(nothing, groups.each, nothing) if held is None else miscalibration(held)
    return Comparison(groups, {"label_less_score": figure}, params)


def _settled(params: PositiveParams, contract: Contract) -> PositiveParams:
    found = settled(params, contract, POINTS)
    if not contract.scored or str(found.positive) not in judged(contract):
        raise ConfigError(
            f"`params.positive`: the model has no score for `{found.positive}`", remedy="classes: " + ", ".join(judged(contract))
        )
    return found


SPEC = Spec(
    about=about(
        "calibration_gap",
        "Calibration gap",
        "largest mean (label - score) of a group - smallest",
        requires=(Need.LABELS, Need.SCORES),
    ),
    evidence=ScoresByGroup,
    compute=compared(compare),
    no_value="no group has a value",
    params=PositiveParams,
    settle=_settled,
)
