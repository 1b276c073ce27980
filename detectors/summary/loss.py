"""The losses that performance panes sum, each a function of labelled rows. A new loss is a line of `LOSSES`, and needs no migration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import LABEL, Contract, Task
from core.region import ENSEMBLE, INTERVAL, SET, has
from detectors.summary.score import members, scores

TENTHS = tuple(tenth / 10 for tenth in range(1, 10))
NO_RANK = -1  # of a row without any score
_HUGE = 1e300
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class LossRows:
    """Labelled rows, and what losses are made of."""

    contract: Contract
    outcomes: Outcomes

    @cached_property
    def residual(self) -> Floats:
        """Prediction - label of a regression, NaN where one of them is no finite number: (n,)."""
        return residual(self.outcomes)

    @cached_property
    def label(self) -> Floats:
        """The labels of the rows that have a residual, else NaN: (n,)."""
        return np.where(np.isnan(self.residual), np.nan, np.asarray(self.outcomes.label, np.float64))

    @cached_property
    def prediction(self) -> Floats:
        """The predictions of the rows that have a residual, else NaN: (n,)."""
        return np.where(np.isnan(self.residual), np.nan, np.asarray(self.outcomes.prediction, np.float64))

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """The bounds of the intervals of the rows that have one and a residual, else NaN: (n,) each."""
        nothing = np.full(len(self.outcomes), np.nan)
        lower, upper = self.outcomes.interval or (nothing, nothing)
        known = np.isfinite(lower) & ~np.isnan(self.residual)
        return np.where(known, lower, np.nan), np.where(known, upper, np.nan)

    @cached_property
    def transform(self) -> tuple[Floats, Floats]:
        """Between which numbers the label's probability integral transform lies, by its rank among the members of the ensemble: (n,) each, NaN without members or residual.

        With k of M members below the label and e equal to it: k / (M + 1) and (k + e + 1) / (M + 1). Source: Hamill 2001.
        """
        members = self.outcomes.ensemble
        if members is None or not members.shape[1]:
            return np.full(len(self.outcomes), np.nan), np.full(len(self.outcomes), np.nan)
        places, label = (~np.isnan(members)).sum(axis=1) + 1, self.label[:, None]
        known = (places > 1) & ~np.isnan(self.label)
        low, high = (members < label).sum(axis=1) / places, ((members <= label).sum(axis=1) + 1) / places
        return np.where(known, low, np.nan), np.where(known, high, np.nan)

    @cached_property
    def scores(self) -> Floats:
        """Each row's score for each judged class (`detectors.summary.score`): (n, classes), NaN where there is none."""
        return scores(self.contract, self.outcomes)

    @cached_property
    def scored(self) -> npt.NDArray[np.bool_]:
        """Whether a row has a score for any judged class: (n,)."""
        return np.asarray((~np.isnan(self.scores)).any(axis=1), np.bool_)

    @cached_property
    def truth(self) -> Floats:
        """1 for the judged class that is the label, else 0: (n, classes)."""
        if not isinstance(self.outcomes.label, Categories):
            return np.zeros(self.scores.shape)
        return members(self.contract, self.outcomes.label).astype(np.float64)

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether the label is a class of the contract; each is if the contract has only seen one: (n,)."""
        label, known = self.outcomes.label, Classes.of(self.contract)
        if not isinstance(label, Categories):
            return np.zeros(len(self.outcomes), np.bool_)
        single = len(known.names) == 1
        return np.array([single or known.find(text) is not None for text in label.texts], np.bool_)[label.codes]

    @cached_property
    def own(self) -> Floats:
        """The score of the label's class, NaN where there is none: (n,). In a binary model the positive class's, or 1 less that; a label that is no class of it has none."""
        if self.contract.task == Task.BINARY:
            return np.where(self.known, np.where(self.truth[:, 0] > 0, self.scores[:, 0], 1.0 - self.scores[:, 0]), np.nan)
        held = np.where(self.truth > 0, self.scores, 0.0).sum(axis=1)
        return np.where(self.truth.any(axis=1), held, np.nan)

    @cached_property
    def rank(self) -> Ints:
        """The place of the label's class among the classes by their score, 0 for the highest: (n,). Of equal scores the later class is first, as in scikit-learn.

        A label whose class has no score is behind all classes; a row without any score has `NO_RANK`.
        """
        own, place = self.own[:, None], np.arange(self.scores.shape[1])
        index = np.argmax(self.truth, axis=1)[:, None] if len(place) else np.zeros((len(self.outcomes), 1), np.int64)
        ahead = (self.scores > own) | ((self.scores == own) & (place > index))
        last = np.where(self.scored, self.scores.shape[1], NO_RANK)
        return np.where(np.isnan(self.own), last, ahead.sum(axis=1))


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
    with np.errstate(over="ignore"):
        return np.where(both, np.where(both, outcomes.prediction, 0.0) - np.where(both, outcomes.label, 0.0), np.nan)


def _in_interval(rows: LossRows) -> Floats:
    """1 where the label is within the interval, bounds included, and 0 where not."""
    lower, upper = rows.bounds
    return np.where(np.isnan(lower), np.nan, (lower <= rows.label) & (rows.label <= upper))


def _below_interval(rows: LossRows) -> Floats:
    """1 where the label is below the interval, and 0 where not."""
    lower, _ = rows.bounds
    return np.where(np.isnan(lower), np.nan, rows.label < lower)


def _from_bound(bound: int, how: Callable[[Floats], Floats]) -> Callable[[LossRows], Floats]:
    """A function of the lower (0) or the upper (1) bound less the label."""
    return lambda rows: how(rows.bounds[bound] - rows.label)


def _below_tenth(tenth: float) -> Callable[[LossRows], Floats]:
    """How much of where the label's probability integral transform lies is below a number: 0 to 1. It is the number on average if the label is a draw like the members."""

    def share(rows: LossRows) -> Floats:
        low, high = rows.transform
        return np.clip((tenth - low) / (high - low), 0.0, 1.0)

    return share


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


def _relative(rows: LossRows) -> Floats:
    """|residual| / |label|, the label at least the epsilon of float64 as in scikit-learn; a label of 0 has none."""
    return np.where(rows.label == 0, np.nan, np.abs(rows.residual) / np.maximum(np.abs(rows.label), _EPSILON))


def _symmetric(rows: LossRows) -> Floats:
    """2 |residual| / (|prediction| + |label|), 0 where both are 0; of huge numbers their halves, whose sum is finite."""
    scale = np.where(np.maximum(np.abs(rows.prediction), np.abs(rows.label)) > _HUGE, 0.5, 1.0)
    said, true = rows.prediction * scale, rows.label * scale
    sizes = np.abs(said) + np.abs(true)
    return 2 * np.abs(said - true) / np.where(sizes == 0, 1.0, sizes)


def _log(rows: LossRows) -> Floats:
    """-log of the score of the label's class, which is clipped to the epsilon of float64: if only other classes have a score, this one got none.

    A binary model has one score, which tells nothing of a label that is none of its two classes.
    """
    missed = np.isnan(rows.own) & rows.scored & (rows.contract.task != Task.BINARY)
    own = np.where(missed, 0.0, rows.own)
    return np.asarray(-np.log(np.clip(own, _EPSILON, 1 - _EPSILON)))


def _quadratic(rows: LossRows) -> Floats:
    """The squared differences of scores and truth, summed over classes; NaN unless the row has a score for each class, and one for that of its label."""
    apart = ((rows.scores - rows.truth) ** 2).sum(axis=1)
    return np.where(np.isnan(rows.own), np.nan, apart)


_NUMBERS, _CLASSES = (Task.REGRESSION,), (Task.BINARY, Task.MULTICLASS)

LOSSES: Mapping[str, Loss] = {
    "error": Loss(_NUMBERS, lambda rows: rows.residual),
    "absolute": Loss(_NUMBERS, lambda rows: np.abs(rows.residual)),
    "square": Loss(_NUMBERS, lambda rows: rows.residual**2),
    "relative": Loss(_NUMBERS, _relative),
    "symmetric": Loss(_NUMBERS, _symmetric),
    "label": Loss(_NUMBERS, lambda rows: rows.label - rows.contract.column(LABEL).middle),
    "label_size": Loss(_NUMBERS, lambda rows: np.abs(rows.label)),
    "log": Loss(_CLASSES, _log),
    "quadratic": Loss(_CLASSES, _quadratic),
    "in_interval": Loss(_NUMBERS, _in_interval, INTERVAL),
    "in_set": Loss(_CLASSES, _in_set, SET),
    "below_interval": Loss(_NUMBERS, _below_interval, INTERVAL),
    "lower_error": Loss(_NUMBERS, _from_bound(0, np.asarray), INTERVAL),
    "lower_absolute": Loss(_NUMBERS, _from_bound(0, np.abs), INTERVAL),
    "upper_error": Loss(_NUMBERS, _from_bound(1, np.asarray), INTERVAL),
    "upper_absolute": Loss(_NUMBERS, _from_bound(1, np.abs), INTERVAL),
    **{f"below_{tenth}": Loss(_NUMBERS, _below_tenth(tenth), ENSEMBLE) for tenth in TENTHS},
}


def losses_of(contract: Contract) -> tuple[str, ...]:
    """The names of the losses that a contract's model has."""
    return tuple(name for name, loss in LOSSES.items() if contract.task in loss.tasks and (not loss.signal or has(contract, loss.signal)))
