"""The losses of single rows, in which changes are looked for, by the measure that is their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from core.block import Categories, Floats
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.summary.loss import LOSSES, LossRows

WRONG = "performance.accuracy"  # whose rows are wrong, 1, or right, 0


def wrong(rows: LossRows) -> Floats:
    """1 where the prediction is not the label, else 0: (n,)."""
    known = Classes.of(rows.contract)
    sides = [known.column(one) for one in (rows.outcomes.prediction, rows.outcomes.label) if isinstance(one, Categories)]
    if len(sides) < 2:
        return np.full(len(rows.outcomes), np.nan)
    texts = [np.array(one.texts, object)[one.codes] if len(one.texts) else np.zeros(0, object) for one in sides]
    return np.asarray(texts[0] != texts[1], np.float64)


_NAMED = {
    "mae": "absolute",
    "mse": "square",
    "rmse": "square",
    "bias": "error",
    "mape": "relative",
    "smape": "symmetric",
    "log_loss": "log",
    "brier": "quadratic",
}
OF: Mapping[str, Callable[[LossRows], Floats]] = {WRONG: wrong} | {f"performance.{name}": LOSSES[loss].of for name, loss in _NAMED.items()}
_TASKS = {WRONG: (Task.BINARY, Task.MULTICLASS)} | {f"performance.{name}": LOSSES[loss].tasks for name, loss in _NAMED.items()}


def settled(of: str | None, contract: Contract, allowed: tuple[str, ...]) -> str:
    """The measure whose rows are watched: the one that is named, else accuracy or mean absolute error. ConfigError if the model has no such losses, or they are not `allowed`."""
    there = [name for name in allowed if contract.task in _TASKS[name] and (contract.scored or name not in _SCORED)]
    if not there:
        raise ConfigError(
            f"it needs {' or '.join(allowed)}, which a {contract.task} model does not have",
            remedy="watch `performance.mae` with `change.adwin` or `change.page_hinkley`",
        )
    if of is not None and of not in there:
        raise ConfigError(
            f"`params.of: {of}` has no losses of single rows that this detector takes",
            remedy=f"write one of {', '.join(there)}; `change.cusum` and `change.ewma` take any measure, by its windows",
        )
    return of or there[0]


_SCORED = ("performance.log_loss", "performance.brier")
