"""Gaps in rates of labelled rows: groups are judged equally well. All are of one class, which counts as the positive outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET

from core.block import Floats
from detectors.by_group import OutcomesByGroup, RankedByGroup
from detectors.evidence import Confusion
from detectors.fairness.comparison import Comparison, about, compared
from detectors.fairness.figure import Odds, Rate
from detectors.fairness.option import POINTS, ClassParams, GapParams, settled
from detectors.performance.threshold import at_threshold, with_bound
from detectors.spec import AnySpec, Result, Spec


class Cells(NamedTuple):
    """True and false positives and negatives of a class, each (...)."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @staticmethod
    def of(rows: Confusion, positive: object) -> Cells:
        """The cells of a class; a class that is neither predicted nor a label has negatives only."""
        if positive not in rows.classes:
            nothing = np.zeros(rows.right.shape[:-1])
            return Cells(nothing, nothing, nothing, rows.predicted.sum(-1))
        at = rows.classes.index(str(positive))
        tp, predicted, labelled = (counts[..., at] for counts in (rows.right, rows.predicted, rows.labelled))
        return Cells(tp, predicted - tp, labelled - tp, rows.predicted.sum(-1) - predicted - labelled + tp)


_RATES: dict[str, Callable[[Cells], Rate]] = {
    "tpr": lambda of: Rate(of.tp, of.tp + of.fn),
    "fpr": lambda of: Rate(of.fp, of.fp + of.tn),
    "fnr": lambda of: Rate(of.fn, of.fn + of.tp),
    "precision": lambda of: Rate(of.tp, of.tp + of.fp),
    "fdr": lambda of: Rate(of.fp, of.fp + of.tp),
    "for": lambda of: Rate(of.fn, of.fn + of.tn),
    "fn_over_fp": lambda of: Odds(of.fn, of.fp),
}


def _largest(parts: Sequence[Floats]) -> Floats:
    return np.asarray(np.maximum.reduce(list(parts)))


def _mean(parts: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(np.stack(parts), axis=0))


def compare(
    groups: OutcomesByGroup, params: ClassParams, *names: str, combine: Callable[[Sequence[Floats]], Floats] = _largest
) -> Comparison:
    """The gaps in some rates, combined."""
    cells = Cells.of(groups.of, params.positive)
    return Comparison(groups, {name: _RATES[name](cells) for name in names}, params, combine)


Compute = Callable[[Any, Any, ClassParams], Result]


def _thresholded(compute: Compute) -> Compute:
    """The `compute` that also takes rows by score, which it judges by the threshold."""

    def of_rows(target: OutcomesByGroup | RankedByGroup, _baseline: object, params: ClassParams) -> Result:
        if not isinstance(target, RankedByGroup):
            return compute(target, None, params)
        table, bound = at_threshold(target.of, 0.0 if params.threshold is UNSET else params.threshold)
        found = compute(OutcomesByGroup(target.names, table, target.predictions), None, params)
        return replace(found, evidence=with_bound(found.evidence, np.nan_to_num(bound).max(-1)))

    return of_rows


def _spec(
    measure: str, title: str, formula: str, *names: str, combine: Callable[[Sequence[Floats]], Floats] = _largest, **more: str
) -> AnySpec:
    shares = "fn_over_fp" not in names
    return Spec(
        about=about(measure, title, formula, unit="share" if shares else "", **more),
        evidence=OutcomesByGroup,
        compute=_thresholded(compared(lambda groups, params: compare(groups, params, *names, combine=combine))),
        no_value="no group has a value",
        params=ClassParams,
        of_scores=RankedByGroup,
        settle=lambda params, contract: settled(params, contract, *((POINTS,) if shares else ())),
    )


def accuracy(groups: OutcomesByGroup, params: GapParams) -> Comparison:
    """The gap in accuracy."""
    return Comparison(groups, {"accuracy": Rate(groups.of.right.sum(-1), groups.of.predicted.sum(-1))}, params)


EQUAL_OPPORTUNITY = _spec(
    "equal_opportunity_difference",
    "Equal opportunity difference",
    "largest tp / (tp + fn) of a group - smallest",
    "tpr",
    brief="Opportunity gap",
)
EQUALIZED_ODDS = _spec(
    "equalized_odds_difference",
    "Equalized odds difference",
    "the larger one of the gaps in tp / (tp + fn) and in fp / (fp + tn)",
    "tpr",
    "fpr",
    brief="Odds gap",
)
AVERAGE_ODDS = _spec(
    "average_odds_difference",
    "Average odds difference",
    "the mean of the gaps in tp / (tp + fn) and in fp / (fp + tn)",
    "tpr",
    "fpr",
    combine=_mean,
    brief="Mean odds gap",
)
SPECS: tuple[AnySpec, ...] = (
    EQUAL_OPPORTUNITY,
    EQUALIZED_ODDS,
    AVERAGE_ODDS,
    _spec(
        "predictive_parity_difference",
        "Predictive parity difference",
        "largest tp / (tp + fp) of a group - smallest",
        "precision",
        brief="Precision gap",
    ),
    _spec("fpr_parity", "False positive rate parity", "largest fp / (fp + tn) of a group - smallest", "fpr", brief="FPR gap"),
    _spec("fnr_parity", "False negative rate parity", "largest fn / (fn + tp) of a group - smallest", "fnr", brief="FNR gap"),
    _spec("fdr_parity", "False discovery rate parity", "largest fp / (fp + tp) of a group - smallest", "fdr", brief="FDR gap"),
    _spec("for_parity", "False omission rate parity", "largest fn / (fn + tn) of a group - smallest", "for", brief="FOR gap"),
    Spec(
        about=about("accuracy_parity", "Accuracy parity", "largest accuracy of a group - smallest", brief="Accuracy gap"),
        evidence=OutcomesByGroup,
        compute=compared(accuracy),
        no_value="no group has a value",
        params=GapParams,
        settle=lambda params, contract: settled(params, contract, POINTS),
    ),
    _spec("treatment_equality", "Treatment equality", "largest fn / fp of a group - smallest", "fn_over_fp"),
)
