"""Calibration: whether of the rows with a score of 0.8 about 80 % are positive. From frozen bins of scores, in groups of about a tenth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core import text
from core.block import Floats, Ints
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.certainty import ScoreTable, ScoreTables
from detectors.interval import wilson
from detectors.spec import Places, Result, Spec

GROUPS = 10
DRAWS = 200  # of labels from the scores, for the law where a model is calibrated
SEED = 11
NO_SCORE = "no labelled row has a score for the class"


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
    """The reliability curve of a class, by group: rows, the sum of their scores and how many are positive, (..., groups) each."""

    rows: Floats
    score: Floats
    positive: Floats

    @staticmethod
    def of(table: ScoreTable) -> Curve:
        """The curve of a table of frozen bins."""
        group = groups(table.edges)
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        return Curve(*(np.add.reduceat(one, starts, axis=-1) for one in (table.rows, table.score, table.positive)))

    @property
    def gap(self) -> Floats:
        """The share of positives less the mean score, 0 in a group without rows: (..., groups)."""
        return np.asarray((self.positive - self.score) / np.maximum(self.rows, 1))

    @property
    def rate(self) -> Floats:
        """The share of positives, 0 in a group without rows: (..., groups)."""
        return np.asarray(self.positive / np.maximum(self.rows, 1))

    @property
    def weight(self) -> Floats:
        """The share of all rows, NaN without any: (..., groups)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.rows / self.rows.sum(-1, keepdims=True))


def ece(curve: Curve) -> Floats:
    """The mean distance of the share of positives from the mean score, weighted by rows (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017): (...), NaN without rows."""
    return np.asarray((curve.weight * np.abs(curve.gap)).sum(-1))


def mce(curve: Curve) -> Floats:
    """The largest of these distances: (...), NaN without rows."""
    return np.where(curve.rows.sum(-1) > 0, np.abs(curve.gap).max(-1), np.nan)


def reliability(curve: Curve) -> Floats:
    """The mean squared distance, weighted by rows: what the Brier score loses by scores that are wrong (Murphy 1973): (...)."""
    return np.asarray((curve.weight * curve.gap**2).sum(-1))


def resolution(curve: Curve) -> Floats:
    """The mean squared distance of the groups' shares of positives from that of all rows: what the Brier score gains by telling rows apart (Murphy 1973): (...)."""
    base = (curve.weight * curve.rate).sum(-1, keepdims=True)
    return np.asarray((curve.weight * (curve.rate - base) ** 2).sum(-1))


def calibrated(of: Callable[[Curve], Floats], table: ScoreTable) -> Floats:
    """The values of a measure where the model is calibrated: the labels of each place's rows are drawn from the mean score of their bin, `DRAWS` times: (DRAWS, ...).

    Each place has the same seed, so its draws depend on its own rows only. 0 in a place without rows.
    """
    rows, score = (one.reshape(-1, one.shape[-1]) for one in (table.rows, table.score))
    found = np.zeros((DRAWS, len(rows)))
    for place in np.flatnonzero(rows.sum(-1)):
        held = np.flatnonzero(rows[place])
        n = rows[place, held].astype(np.int64)
        share = np.clip(score[place, held] / n, 0.0, 1.0)
        drawn = np.zeros((DRAWS, rows.shape[-1]))
        drawn[:, held] = np.random.default_rng(SEED).binomial(n, share, (DRAWS, len(held)))
        curve = Curve.of(ScoreTable(drawn, rows[place] - drawn, score[place], np.zeros_like(score[place]), table.edges))
        found[:, place] = of(curve)
    return found.reshape(DRAWS, *table.rows.shape[:-1])


def _tables(target: ScoreTables, params: OfClass) -> list[ScoreTable]:
    return list(target.of.values()) if params.class_ is None else [held for name, held in target.of.items() if name == params.class_]


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


def _debiased(of: Callable[[Curve], Floats]) -> Callable[[ScoreTables, ScoreTables | None, OfClass], Result]:
    """The measure less what it is on average where the model is calibrated, at least 0. Few rows are always some way off, and this is not counted."""

    def compute(target: ScoreTables, _baseline: ScoreTables | None, params: OfClass) -> Result:
        tables, shape = _tables(target, params), target.n.shape
        raw = _mean([of(Curve.of(table)) for table in tables], shape)
        drawn = [np.where(table.rows.sum(-1) > 0, calibrated(of, table), np.nan) for table in tables]
        null = np.stack([_mean([one[draw] for one in drawn], shape) for draw in range(DRAWS)])
        expected = null.mean(0)
        with np.errstate(invalid="ignore"):
            p = (1 + (null >= raw).sum(0)) / (1 + DRAWS)

        def numbers(places: Places) -> list[dict[str, Any]]:
            rows = zip(*(one[places].tolist() for one in (raw, expected, p)), strict=True)
            return [{"raw": one, "expected": other, "p_calibrated": chance} for one, other, chance in rows]

        return Result(np.maximum(raw - expected, 0.0), evidence=_evidence(tables, numbers))

    return compute


def _plain(of: Callable[[Curve], Floats]) -> Callable[[ScoreTables, ScoreTables | None, OfClass], Result]:
    def compute(target: ScoreTables, _baseline: ScoreTables | None, params: OfClass) -> Result:
        tables = _tables(target, params)
        value = _mean([of(Curve.of(table)) for table in tables], target.n.shape)
        return Result(value, evidence=_evidence(tables, lambda places: [{} for _ in places[0]]))

    return compute


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
        "ece", "Expected calibration error", "mean |share of positives - mean score| by group, less its mean where the model is calibrated",
        _debiased(ece), brief="ECE", unit="share", better=-1,
    ),
    _spec(
        "mce", "Maximum calibration error", "largest |share of positives - mean score| of a group, less its mean where the model is calibrated",
        _debiased(mce), brief="MCE", unit="share", better=-1,
    ),
    _spec(
        "brier_reliability", "Reliability", "mean (share of positives - mean score)^2 by group", _plain(reliability), better=-1,
    ),
    _spec(
        "brier_resolution", "Resolution", "mean (share of positives of the group - that of all)^2", _plain(resolution), better=1,
    ),
)  # fmt: skip
