"""Losses of scores: log loss and the Brier score, which reward probabilities that are right."""

from __future__ import annotations

from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.performance.losses import mean_score_loss


def _about(name: str, title: str, formula: str, unit: str) -> Measure:
    return Measure(
        name=f"performance.{name}",
        title=title,
        formula=formula,
        unit=unit,
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS, Need.SCORES),
    )


LOG_LOSS = mean_score_loss(
    _about("log_loss", "Log loss", "mean -ln(score of the label's class)", "nats"),
    "log",
    "no row has a score and a label of the model's classes",
)
BRIER = mean_score_loss(
    _about("brier", "Brier score", "mean squared difference of score and truth; multiclass: summed over classes", ""),
    "quadratic",
    "no row has a score for each class, and a label of these",
)
SPECS = (LOG_LOSS, BRIER)
