"""Calibration: whether of the rows with a score of 0.8 about 80 % are positive. From frozen bins of scores, in groups of about a tenth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core import text
from core.block import Floats, Ints
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.certainty import ScoreTable, ScoreTables
from detectors.interval import wilson
from detectors.spec import Places, Result, Spec, estimable
from detectors.uncertainty import chance

GROUPS = 10
NO_SCORE = "no labelled row has a score for the class"
NO_PROBABILITY = "scores are outside of 0 to 1, and no probabilities"
_ROUNDING = 1e-12


class OfClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`class` names a class; without it a binary model uses its positive class, and a multiclass model the plain mean over its classes."""

    class_: str | int | float | bool | None = msgspec.field(name="class", default=None)


def _settle(params: OfClass, contract: Contract) -> OfClass:
    binary = contract.task == Task.BINARY
    if params.class_ is None:
        return OfClass(contract.positive) if binary else params
    found = Classes.of(contract).find(text.class_of(params.class_, binary=binary))
    if found is None or (binary and found != contract.positive):
        known = [contract.positive] if binary else contract.classes
        raise ConfigError(f"`params.class`: there is no score for a class `{params.class_}`", remedy="classes: " + ", ".join(known))
    return OfClass(found)


def groups(edges: tuple[float, ...]) -> Ints:
    """The group of each bin: (edges + 1,). Groups are cut at those edges that are nearest to 0.1, 0.2 and so on, the lower one of two that are as near."""
    cuts = np.asarray(edges, np.float64)
    if not len(cuts):
        return np.zeros(1, np.int64)
    tenths = np.arange(1, GROUPS) / GROUPS
    chosen = np.unique(np.argmin(np.abs(cuts[:, None] - tenths), axis=0))
    return np.searchsorted(chosen, np.arange(len(cuts) + 1), side="left").astype(np.int64)


class Curve(NamedTuple):
    """The reliability curve of a class, by group: rows, the sum of their scores, how many are positive, and the variance of that where the scores are right: (..., groups) each."""

    rows: Floats
    score: Floats
    positive: Floats
    spread: Floats

    @staticmethod
    def of(table: ScoreTable) -> Curve:
        """The curve of a table of frozen bins."""
        group = groups(table.edges)
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        share = np.clip(table.score / np.maximum(table.rows, 1), 0.0, 1.0)
        sums = (table.rows, table.score, table.positive, table.rows * share * (1 - share))
        return Curve(*(np.add.reduceat(one, starts, axis=-1) for one in sums))

    @property
    def gap(self) -> Floats:
        """The share of positives less the mean score, 0 in a group without rows: (..., groups)."""
        return np.asarray((self.positive - self.score) / np.maximum(self.rows, 1))

    @property
    def variance(self) -> Floats:
        """The variance of `gap` where the scores are right, 0 in a group without rows: (..., groups)."""
        return np.asarray(self.spread / np.maximum(self.rows, 1) ** 2)

    @property
    def rate(self) -> Floats:
        """The share of positives, 0 in a group without rows: (..., groups)."""
        return np.asarray(self.positive / np.maximum(self.rows, 1))

    @property
    def noise(self) -> Floats:
        """The unbiased variance of `rate`, 0 in a group of less than two rows: (..., groups)."""
        return np.asarray(self.rate * (1 - self.rate) / np.maximum(self.rows - 1, 1))

    @property
    def weight(self) -> Floats:
        """The share of all rows, NaN without any: (..., groups)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.rows / self.rows.sum(-1, keepdims=True))


class Error(NamedTuple):
    """An error of calibration: what it is plainly, debiased, and the chance that it is so large where the scores are right. Each of a curve: (...), NaN without rows."""

    plain: Callable[[Curve], Floats]
    debiased: Callable[[Curve], Floats]
    chance: Callable[[Curve], Floats]


def ece(curve: Curve) -> Floats:
    """The mean distance of the share of positives from the mean score, weighted by rows (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017): (...), NaN without rows."""
    return np.asarray((curve.weight * np.abs(curve.gap)).sum(-1))


def _mean_distance(curve: Curve) -> Floats:
    """`ece` less what each group's distance is too large by on average; it may be below 0."""
    return np.asarray((curve.weight * (np.abs(curve.gap) - chance.inflated(curve.gap, curve.variance))).sum(-1))


def mce(curve: Curve) -> Floats:
    """The largest of these distances: (...), NaN without rows."""
    return np.where(curve.rows.sum(-1) > 0, np.abs(curve.gap).max(-1), np.nan)


def _largest_distance(curve: Curve) -> Floats:
    """The largest of the groups' distances, from whose squares their variance is subtracted, times the mean of the largest of so many squares by chance: that is what a search for the largest finds."""
    held = (curve.rows > 0).sum(-1)
    often = np.array([chance.largest_square(count) for count in range(GROUPS + 1)])[held]
    square = curve.gap**2 - often[..., None] * curve.variance
    return np.where(held > 0, np.sqrt(np.where(square > _ROUNDING, square, 0.0)).max(-1), np.nan)


ECE = Error(ece, _mean_distance, lambda curve: chance.chance_of_mean(ece(curve), curve.weight, curve.variance))
MCE = Error(mce, _largest_distance, lambda curve: chance.chance_of_largest(mce(curve), curve.rows, curve.score))


def reliability(curve: Curve) -> Floats:
    """The mean squared distance, weighted by rows, without bias: what the Brier score loses by scores that are wrong (Murphy 1973; Ferro and Fricker 2012): (...)."""
    return np.asarray((curve.weight * (curve.gap**2 - curve.noise)).sum(-1))


def resolution(curve: Curve) -> Floats:
    """The mean squared distance of the groups' shares of positives from that of all rows, without bias: what the Brier score gains by telling rows apart (as above): (...)."""
    base = (curve.weight * curve.rate).sum(-1, keepdims=True)
    of_base = (base * (1 - base))[..., 0] / np.maximum(curve.rows.sum(-1) - 1, 1)
    return np.asarray((curve.weight * ((curve.rate - base) ** 2 - curve.noise)).sum(-1) + of_base)


def _chosen(target: ScoreTables, params: OfClass) -> tuple[list[ScoreTable], npt.NDArray[np.bool_]]:
    """The tables of the classes that count, and where they hold scores that are no probabilities: (...). There they are without rows."""
    found = list(target.of.values()) if params.class_ is None else [held for name, held in target.of.items() if name == params.class_]
    wrong = np.zeros(target.n.shape, np.bool_)
    for one in found:
        wrong |= ~((one.score >= 0) & (one.score <= one.rows * (1 + _ROUNDING))).all(-1)
    return [_without(one, wrong[..., None]) for one in found] if wrong.any() else found, wrong


def _without(table: ScoreTable, where: npt.NDArray[np.bool_]) -> ScoreTable:
    sums = (table.positive, table.negative, table.positive_sum, table.negative_sum)
    positive, negative, positive_sum, negative_sum = (np.where(where, 0.0, one) for one in sums)
    return ScoreTable(positive, negative, positive_sum, negative_sum, table.edges)


def _mean(values: list[Floats], shape: tuple[int, ...]) -> Floats:
    """The plain mean of the classes that have a value: (...), NaN where none has."""
    held = np.stack([np.full(shape, np.nan), *values])
    have = ~np.isnan(held)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(have, held, 0.0).sum(0) / have.sum(0))


def _evidence(tables: list[ScoreTable], more: Callable[[Places], list[dict[str, Any]]]) -> Callable[[Places], list[dict[str, Any]]]:
    """The reliability curve if there is one class, and more."""

    def found(places: Places) -> list[dict[str, Any]]:
        documents = more(places)
        if len(tables) != 1:
            return documents
        curve = Curve(*(one[places] for one in Curve.of(tables[0])))
        bounds = wilson(curve.rate, np.maximum(curve.rows, 1))
        columns = (curve.rows, curve.score / np.maximum(curve.rows, 1), curve.rate, *bounds)
        return [
            document | {"curve": [dict(zip(("n", "score", "rate", "lower", "upper"), one, strict=True)) for one in rows if one[0]]}
            for document, rows in zip(documents, np.stack(columns, axis=-1).tolist(), strict=True)
        ]

    return found


def _debiased(of: Error) -> Callable[[ScoreTables, ScoreTables | None, OfClass], Result]:
    """An error without what chance adds to it, at least 0."""

    def compute(target: ScoreTables, _baseline: ScoreTables | None, params: OfClass) -> Result:
        tables, wrong = _chosen(target, params)
        curves = [Curve.of(table) for table in tables]
        value, plain = (_mean([how(curve) for curve in curves], target.n.shape) for how in (of.debiased, of.plain))

        def numbers(places: Places) -> list[dict[str, Any]]:
            found = [{"raw": one} for one in plain[places].tolist()]
            if len(curves) != 1:  # labels of several classes depend on each other
                return found
            here = Curve(*(one[places] for one in curves[0]))
            return [document | {"p_calibrated": p} for document, p in zip(found, of.chance(here).tolist(), strict=True)]

        return _result(np.maximum(value, 0.0), tables, wrong, numbers)

    return compute


def _plain(of: Callable[[Curve], Floats]) -> Callable[[ScoreTables, ScoreTables | None, OfClass], Result]:
    def compute(target: ScoreTables, _baseline: ScoreTables | None, params: OfClass) -> Result:
        tables, wrong = _chosen(target, params)
        value = _mean([of(Curve.of(table)) for table in tables], target.n.shape)
        return _result(value, tables, wrong, lambda places: [{} for _ in places[0]])

    return compute


def _result(
    value: Floats, tables: list[ScoreTable], wrong: npt.NDArray[np.bool_], more: Callable[[Places], list[dict[str, Any]]]
) -> Result:
    kept, why = estimable(value, (wrong, NO_PROBABILITY))
    return Result(kept, why, evidence=_evidence(tables, more))


def _spec(name: str, title: str, formula: str, compute: Callable[..., Result], **about: Any) -> Spec[ScoreTables, OfClass]:
    return Spec(
        about=Measure(
            name=f"uncertainty.{name}",
            title=title,
            formula=formula,
            judged=Judged.WORSE,
            tasks=(Task.BINARY, Task.MULTICLASS),
            requires=(Need.LABELS, Need.SCORES),
            **about,
        ),
        evidence=ScoreTables,
        compute=compute,
        no_value=NO_SCORE,
        params=OfClass,
        settle=_settle,
    )


SPECS = (
    _spec(
        "ece", "Expected calibration error", "mean |share of positives - mean score| by group, without what chance adds",
        _debiased(ECE), brief="ECE", unit="share", better=-1,
    ),
    _spec(
        "mce", "Maximum calibration error", "largest |share of positives - mean score| of a group, without what chance adds",
        _debiased(MCE), brief="MCE", unit="share", better=-1,
    ),
    _spec(
        "brier_reliability", "Reliability", "mean (share of positives - mean score)^2 by group, unbiased", _plain(reliability), better=-1,
    ),
    _spec(
        "brier_resolution", "Resolution", "mean (share of positives of the group - that of all)^2, unbiased", _plain(resolution), better=1,
    ),
)  # fmt: skip
