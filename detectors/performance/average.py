"""Rates of one class, or averages of the rates of all classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np

from core import text
from core.block import Floats
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.documents import Documents
from detectors.evidence import Confusion
from detectors.interval import wilson
from detectors.performance.threshold import Threshold
from detectors.spec import Places, Result

_MOST = 8  # classes in the evidence of an average


class Average(Threshold, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params of a rate: `threshold`; `class` names a class; without it `average` says how the rates of all classes are averaged.

    By default a binary model uses its positive class, and a multiclass model the `macro` average over the classes in the window's labels or predictions.
    """

    class_: str | int | float | bool | None = msgspec.field(name="class", default=None)
    average: Literal["macro", "micro", "weighted"] | None = None


P = TypeVar("P", bound=Average)


def settled(params: P, contract: Contract) -> P:
    """The params, with the defaults for a contract. ConfigError if they do not fit it."""
    if params.class_ is not None and params.average is not None:
        raise ConfigError("`params.class` and `params.average` exclude each other", remedy="write one of them")
    if params.average is not None:
        return params
    if params.class_ is None:
        usual: dict[str, Any] = {"class_": contract.positive} if contract.task == Task.BINARY else {"average": "macro"}
        return msgspec.structs.replace(params, **usual)
    return msgspec.structs.replace(params, class_=class_of(params.class_, contract))


def class_of(written: str | float | bool, contract: Contract) -> str:
    """The class of a model that is written so. ConfigError if there is none."""
    found = Classes.of(contract).find(text.class_of(written, binary=contract.task == Task.BINARY))
    if found is None:
        raise ConfigError(f"`params.class`: there is no class `{written}`", remedy="classes: " + ", ".join(contract.classes))
    return found


def rate(part: Floats, whole: Floats, target: Confusion, params: Average) -> Floats:
    """Part / whole, from counts by class (..., K); (...).

    0/0 is NaN for a single class; in an average it counts as 0, as in scikit-learn. `macro` and `micro` are over the classes in the labels or predictions of
    each place; `micro` is the sum of parts divided by the sum of wholes, `weighted` weights by labelled rows.
    """
    params = _usual(params, target)
    with np.errstate(invalid="ignore", divide="ignore"):
        if params.class_ is not None:
            index = _index(target, params)
            return np.full(part.shape[:-1], np.nan) if index is None else np.asarray(part[..., index] / whole[..., index])
        there = _there(target)
        if params.average == "micro":
            return np.asarray((part * there).sum(-1) / (whole * there).sum(-1))
        weight = target.labelled if params.average == "weighted" else there
        each = np.where(whole > 0, part / whole, 0.0)
        return np.asarray((each * weight).sum(-1) / weight.sum(-1))


def share(part: Floats, whole: Floats, target: Confusion, params: Average) -> Result:
    """The rate as a result: with the counts as evidence, and, where it is a share of rows, Wilson's interval: of one class, or `micro` if each row is in one whole."""
    value = rate(part, whole, target, params)
    return Result(value, interval=lambda phi: wilson(value, _rows(whole, target, params) / phi), evidence=counts(target, params))


def counts(target: Confusion, params: Average) -> Callable[[Places], Sequence[dict[str, Any]]]:
    """Evidence: the four counts of the class, or the counts of the classes with most labels."""
    index = _index(target, _usual(params, target))

    def of_class(places: Places) -> Documents:
        held = {"tp": target.right, "fp": target.wrongly, "fn": target.missed, "tn": target.rejected}
        rows = {name: rows[(*places, index)].tolist() for name, rows in held.items()}
        return Documents(len(places[0]), **{"class": [target.classes[index or 0]] * len(places[0])}, **rows)

    def of_all(places: Places) -> list[dict[str, Any]]:
        held = np.stack([target.labelled[places], target.predicted[places], target.right[places]], axis=-1)
        return [{"classes": _largest(target.classes, each)} for each in held]

    return of_all if index is None else of_class


def _largest(classes: tuple[str, ...], each: Floats) -> list[dict[str, Any]]:
    """The classes with most labels and predictions, of labelled, predicted and right rows (K, 3)."""
    order = np.argsort(-each[:, :2].sum(-1), kind="stable")[:_MOST]
    return [
        {"class": classes[at], "labelled": labelled, "predicted": predicted, "right": right}
        for at, (labelled, predicted, right) in zip(order.tolist(), each[order].tolist(), strict=True)
    ]


def _usual(params: Average, target: Confusion) -> Average:
    """The params with their defaults, for a monitor that was saved before its measure had any."""
    if params.class_ is not None or params.average is not None:
        return params
    return Average(average="macro") if target.positive is None else Average(class_=target.classes[target.positive])


def _index(target: Confusion, params: Average) -> int | None:
    """The place of the class that is judged; None for an average, and for a class that the model does not have any more."""
    return target.classes.index(str(params.class_)) if params.class_ in target.classes else None


def _there(target: Confusion) -> Floats:
    """1 for a class in the labels or predictions, else 0: (..., K). Other windows of a block may have other classes."""
    return np.asarray(target.predicted + target.labelled > 0, np.float64)


def _rows(whole: Floats, target: Confusion, params: Average) -> Floats:
    """How many rows a rate is a share of: (...), NaN where it is no share of rows."""
    params = _usual(params, target)
    if (index := _index(target, params)) is not None:
        return np.asarray(whole[..., index])
    rows = (whole * _there(target)).sum(-1)
    return np.where((params.average == "micro") & (rows == target.labelled.sum(-1)), rows, np.nan)
