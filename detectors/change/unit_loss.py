"""Losses of single rows that lie in [0, 1], on which `change.harmful` bets: errors, the Brier score, and costs between the least and the largest one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.change.loss import WRONG, wrong
from detectors.compare.difference import Of
from detectors.summary.loss import LOSSES, LossRows

BRIER, VALUE = "performance.brier", "performance.value"
NAMES = (WRONG, BRIER, VALUE)


def unit_loss(of: Of, contract: Contract) -> Callable[[LossRows], Floats]:
    """The loss of each row, NaN for a row that has none: (n,). `performance.value` needs the settled params of its measure."""
    if of.measure == WRONG:
        return wrong
    if of.measure == BRIER:
        most = 1.0 if contract.task == Task.BINARY else 2.0
        return lambda rows: np.clip(LOSSES["quadratic"].of(rows) / most, 0.0, 1.0)  # scores may be no probabilities
    cost, low, high = _costs(of.params, contract)
    sign = -1.0 if of.params.get("better") == "more" else 1.0

    def scaled(rows: LossRows) -> Floats:
        paid = _cells(rows, cost)
        return np.asarray((paid - low) / (high - low) if sign > 0 else (high - paid) / (high - low))

    return scaled


def checked(of: Of, contract: Contract) -> None:
    """Raise ConfigError if the rows of a measure have no loss in [0, 1]."""
    if of.measure not in NAMES or of.column:
        raise ConfigError(
            f"`params.of: {of.measure}` has no losses of rows between 0 and 1",
            remedy=f"write one of {', '.join(NAMES)}; `change.cusum` charts any measure",
        )
    if of.measure == BRIER and not contract.scored:
        raise ConfigError("`params.of: performance.brier` needs scores, which the model does not send", remedy=f"write `of: {WRONG}`")
    if of.params.get("threshold") is not None or of.params.get("weighted"):
        raise ConfigError("`params.of` takes neither `threshold` nor `weighted` here", remedy="leave them out")
    if of.measure == VALUE:
        _, low, high = _costs(of.params, contract)
        if not high > low:
            raise ConfigError("`params.of`: all cells cost the same", remedy="write for example `params: {fp: 5, fn: 100}`")


def _costs(params: Mapping[str, Any], contract: Contract) -> tuple[Callable[[str, str], float], float, float]:
    """What a row costs by its predicted class and its label, and the least and the largest cost. Of `costs`, 0 is among them: it is the cost of a class that the model does not know."""
    if (costs := params.get("costs")) is not None:
        every = [*costs.values(), 0.0]
        return lambda said, true: float(costs.get(f"{said}>{true}", 0.0)), float(min(every)), float(max(every))
    four = {name: float(params.get(name) or 0.0) for name in ("tp", "fp", "fn", "tn")}

    def cost(said: str, true: str) -> float:
        right, positive = said == true, said == contract.positive
        return four[("t" if right else "f") + ("p" if positive else "n")]

    return cost, min(four.values()), max(four.values())


def _cells(rows: LossRows, cost: Callable[[str, str], float]) -> Floats:
    """The cost of each row (n,)."""
    known = Classes.of(rows.contract)
    sides = [known.column(one) for one in (rows.outcomes.prediction, rows.outcomes.label) if isinstance(one, Categories)]
    if len(sides) < 2:
        return np.full(len(rows.outcomes), np.nan)
    said, true = sides
    table: npt.NDArray[np.float64] = np.array([[cost(one, other) for other in true.texts] for one in said.texts]).reshape(
        len(said.texts), len(true.texts)
    )
    return np.asarray(table[said.codes, true.codes] if len(rows.outcomes) else np.zeros(0))
