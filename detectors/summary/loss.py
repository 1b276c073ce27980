"""The losses that performance panes sum, each a function of labelled rows. A new loss is a line of `LOSSES`, and needs no migration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.block import Categories, Floats, Outcomes
from core.contract import Contract, Task


@dataclass(frozen=True)
class Loss:
    """A loss of the models of some tasks. `of` gives the losses of n outcomes: (n,), NaN for a row that has none."""

    tasks: tuple[Task, ...]
    of: Callable[[Outcomes], Floats]


def residual(outcomes: Outcomes) -> Floats:
    """Prediction - label of a regression, NaN where one of them is no finite number: (n,)."""
    if isinstance(outcomes.prediction, Categories) or isinstance(outcomes.label, Categories):
        return np.full(len(outcomes), np.nan)
    both = np.isfinite(outcomes.prediction) & np.isfinite(outcomes.label)
    return np.where(both, np.where(both, outcomes.prediction, 0.0) - np.where(both, outcomes.label, 0.0), np.nan)


LOSSES: Mapping[str, Loss] = {
    "error": Loss((Task.REGRESSION,), residual),
    "absolute": Loss((Task.REGRESSION,), lambda outcomes: np.abs(residual(outcomes))),
    "square": Loss((Task.REGRESSION,), lambda outcomes: residual(outcomes) ** 2),
}


def losses_of(contract: Contract) -> tuple[str, ...]:
    """The names of the losses that a contract's model has."""
    return tuple(name for name, loss in LOSSES.items() if contract.task in loss.tasks)
