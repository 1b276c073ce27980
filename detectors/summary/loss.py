"""The losses that performance panes sum, each a function of labelled rows. A new loss is a line of `LOSSES`, and needs no migration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.block import Categories, Floats, Outcomes
from core.classes import Classes
from core.contract import Contract, Task
from core.region import INTERVAL, SET, has


@dataclass(frozen=True)
class LossRows:
    """Labelled rows, and what losses are made of."""

    contract: Contract
    outcomes: Outcomes


@dataclass(frozen=True)
class Loss:
    """A loss of the models of some tasks; if it has a `signal`, only of those that have it, too. `of` gives the losses of n rows: (n,), NaN for a row that has none."""

    tasks: tuple[Task, ...]
    of: Callable[[LossRows], Floats]
    signal: str = ""


def residual(outcomes: Outcomes) -> Floats:
    """Prediction - label of a regression, NaN where one of them is no finite number: (n,)."""
    if isinstance(outcomes.prediction, Categories) or isinstance(outcomes.label, Categories):
        return np.full(len(outcomes), np.nan)
    both = np.isfinite(outcomes.prediction) & np.isfinite(outcomes.label)
    return np.where(both, np.where(both, outcomes.prediction, 0.0) - np.where(both, outcomes.label, 0.0), np.nan)


def _in_interval(rows: LossRows) -> Floats:
    """1 where the label is within the interval, bounds included, and 0 where not."""
    outcomes = rows.outcomes
    if outcomes.interval is None or isinstance(outcomes.label, Categories):
        return np.full(len(outcomes), np.nan)
    lower, upper = outcomes.interval
    known = np.isfinite(lower) & ~np.isnan(residual(outcomes))
    return np.where(known, (lower <= outcomes.label) & (outcomes.label <= upper), np.nan)


def _in_set(rows: LossRows) -> Floats:
    """1 where the label is in the prediction set, and 0 where not; a label that is no class of the contract is in none."""
    contract, outcomes = rows.contract, rows.outcomes
    if outcomes.sets is None or not isinstance(outcomes.label, Categories):
        return np.full(len(outcomes), np.nan)
    code = {name: index for index, name in enumerate(contract.classes)}
    known = Classes.of(contract)
    place = np.array([code.get(known.name(text), -1) for text in outcomes.label.texts], np.int64)[outcomes.label.codes]
    held = np.concatenate([outcomes.sets, np.zeros((len(outcomes), 1))], axis=1)[np.arange(len(outcomes)), place]
    return np.where(np.isnan(outcomes.sets).all(axis=1), np.nan, np.nan_to_num(held))


LOSSES: Mapping[str, Loss] = {
    "error": Loss((Task.REGRESSION,), lambda rows: residual(rows.outcomes)),
    "absolute": Loss((Task.REGRESSION,), lambda rows: np.abs(residual(rows.outcomes))),
    "square": Loss((Task.REGRESSION,), lambda rows: residual(rows.outcomes) ** 2),
    "in_interval": Loss((Task.REGRESSION,), _in_interval, INTERVAL),
    "in_set": Loss((Task.BINARY, Task.MULTICLASS), _in_set, SET),
}


def losses_of(contract: Contract) -> tuple[str, ...]:
    """The names of the losses that a contract's model has."""
    return tuple(name for name, loss in LOSSES.items() if contract.task in loss.tasks and (not loss.signal or has(contract, loss.signal)))
