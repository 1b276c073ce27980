"""Selection rates of groups, and demographic parity: groups are selected equally often, whatever their labels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from msgspec import UNSET

from core.block import Floats
from core.contract import Column
from core.measure import Judged, Measure, Subject
from detectors.by_group import GroupPredictions, PredictionsByGroup, ScoredByGroup
from detectors.evidence import Counts
from detectors.fairness.comparison import Comparison, about
from detectors.fairness.figure import Rate
from detectors.fairness.option import FOUR_FIFTHS, POINTS, ClassParams, SelectionParams, settled, with_positive
from detectors.interval import wilson
from detectors.performance.threshold import at_threshold, with_bound
from detectors.ranked import ScoredPredictions
from detectors.spec import Result, Spec, estimable

UNBINNED = "the reference has no prediction of the positive class, so that panes do not count it"
_NOBODY = "no group is selected"


def selected(of: Counts, positive: object) -> Rate:
    """The share of predictions that are the positive class: counts by bin (..., bins) to (...); NaN if the class has no bin of its own."""
    return Rate(_count(of.counts, of.column, str(positive)), of.n)


def _count(counts: Floats, column: Column, positive: str) -> Floats:
    if positive not in column.categories:
        return np.full(counts.shape[:-1], np.nan)
    return np.asarray(counts[..., column.categories.index(positive)])


def selected_by_score(of: ScoredPredictions, threshold: float) -> tuple[Rate, Floats]:
    """The share of predictions whose score is the threshold or more, and the share of them that is on an unknown side (...)."""
    table, bound = at_threshold(of, threshold)
    return Rate(table.predicted[..., 1], of.n), bound


def parity(groups: PredictionsByGroup | ScoredByGroup, params: ClassParams, *, ratio: bool = False) -> Comparison:
    """The gap between selection rates."""
    rate = _rate_of(groups.of, params)[0]
    return Comparison(groups, {"selection_rate": rate}, params, ratio=ratio, labelled=False, selection=rate)


def _rate_of(of: Counts | ScoredPredictions, params: ClassParams | SelectionParams) -> tuple[Rate, Floats]:
    """The selection rates, and how far they may be from those of the rows (...)."""
    if isinstance(of, ScoredPredictions):
        return selected_by_score(of, 0.0 if params.threshold is UNSET else params.threshold)
    return selected(of, params.positive), np.zeros(np.shape(of.n))


def _difference(groups: PredictionsByGroup | ScoredByGroup, _baseline: object, params: ClassParams) -> Result:
    return _of_bins(parity(groups, params).result(), groups.of, params)


def _ratio(groups: PredictionsByGroup | ScoredByGroup, _baseline: object, params: ClassParams) -> Result:
    found = parity(groups, params, ratio=True).result()
    nobody = np.isnan(found.value) & ~np.asarray(found.few)
    return _of_bins(replace(found, why=np.where(nobody, np.array(_NOBODY, object), np.asarray(found.why))), groups.of, params)


def _of_bins(found: Result, of: Counts | ScoredPredictions, params: ClassParams) -> Result:
    """The result; that of a class without a bin has no value for another reason than few rows."""
    if isinstance(of, ScoredPredictions):
        return replace(found, evidence=with_bound(found.evidence, np.nan_to_num(_rate_of(of, params)[1]).max(-1)))
    if str(params.positive) in of.column.categories:
        return found
    return Result(found.value, np.full(found.value.shape, UNBINNED, object))


def _rate(groups: GroupPredictions | ScoredPredictions, _baseline: object, params: SelectionParams) -> Result:
    rate, bound = _rate_of(groups, params)
    few = (groups.n > 0) & (groups.n < params.min_group) & ~np.isnan(rate.count)
    value, why = estimable(rate.value, (few, f"fewer than {params.min_group} rows"), (np.isnan(rate.count), UNBINNED))
    return Result(value, why, lambda phi: wilson(value, groups.n / phi), evidence=with_bound(None, np.nan_to_num(bound)), few=few)


SELECTION_RATE = Spec(
    about=Measure(
        name="fairness.selection_rate",
        title="Selection rate",
        formula="predictions of the positive class / n, of each group",
        unit="share",
        subject=Subject.GROUP,
        judged=Judged.WORSE,
        better=1,
        tasks=about("", "", "").tasks,
    ),
    evidence=GroupPredictions,
    compute=_rate,
    no_value="no rows",
    params=SelectionParams,
    settle=with_positive,
    of_scores=ScoredPredictions,
)
DIFFERENCE = Spec(
    about=about(
        "demographic_parity_difference",
        "Demographic parity difference",
        "largest selection rate of a group - smallest",
        brief="Parity difference",
        requires=(),
    ),
    evidence=PredictionsByGroup,
    compute=_difference,
    no_value=UNBINNED,
    params=ClassParams,
    settle=lambda params, contract: settled(params, contract, POINTS),
    of_scores=ScoredByGroup,
)
RATIO = Spec(
    about=about(
        "demographic_parity_ratio",
        "Demographic parity ratio",
        "smallest selection rate of a group / largest",
        brief="Parity ratio",
        unit="",
        better=1,
        requires=(),
    ),
    evidence=PredictionsByGroup,
    compute=_ratio,
    no_value=UNBINNED,
    params=ClassParams,
    settle=lambda params, contract: settled(params, contract, FOUR_FIFTHS),
    of_scores=ScoredByGroup,
)
SPECS = (SELECTION_RATE, DIFFERENCE, RATIO)
