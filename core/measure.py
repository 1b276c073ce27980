"""The names of all measures, `family.measure`: which exist, which are built, and what they are measures of.

The names are those of the statistics page of the documentation; what is not built yet is known here so that it can be
refused by name. How a measure is computed is in `detectors.catalogue`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from core.contract import Task
from core.error import ConfigError


class Family(StrEnum):
    """The families of measures."""

    QUALITY = "quality"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    UNCERTAINTY = "uncertainty"
    CHANGE = "change"
    EXPLAIN = "explain"
    SERVICE = "service"
    COMPARE = "compare"
    CAUSE = "cause"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that is built.

    `columns`: it is taken of columns (else of the whole model). `better`: +1 where more is better, -1 where less is, 0 where
    a threshold is compared with the value itself. `unit` is for people.
    """

    name: str
    family: Family
    columns: bool
    better: int = 0
    tasks: tuple[Task, ...] = tuple(Task)
    title: str
    unit: str = ""


_CLASSES = (Task.BINARY, Task.MULTICLASS)

BUILT: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(name="quality.null_rate", family=Family.QUALITY, columns=True, title="Null rate", unit="share"),
        Measure(name="drift.psi", family=Family.DRIFT, columns=True, title="Population stability index", unit="nats"),
        Measure(name="drift.js", family=Family.DRIFT, columns=True, title="Jensen-Shannon distance", unit="base 2"),
        Measure(
            name="performance.accuracy", family=Family.PERFORMANCE, columns=False, better=1, tasks=_CLASSES, title="Accuracy", unit="share"
        ),
        Measure(name="performance.f1", family=Family.PERFORMANCE, columns=False, better=1, tasks=_CLASSES, title="F1", unit="share"),
        Measure(
            name="performance.roc_auc", family=Family.PERFORMANCE, columns=False, better=1, tasks=_CLASSES, title="ROC AUC", unit="area"
        ),
        Measure(
            name="performance.mae",
            family=Family.PERFORMANCE,
            columns=False,
            better=-1,
            tasks=(Task.REGRESSION,),
            title="Mean absolute error",
            unit="target units",
        ),
        Measure(
            name="performance.rmse",
            family=Family.PERFORMANCE,
            columns=False,
            better=-1,
            tasks=(Task.REGRESSION,),
            title="Root mean squared error",
            unit="target units",
        ),
    )
}

# Named in the design and not built yet.
PLANNED = frozenset(
    f"{family}.{name}"
    for family, names in {
        "quality": "invalid_rate out_of_range_rate unseen_category_rate new_categories duplicate_rate constant distinct volume freshness "
        "late_rate rejected_rate schema_changes label_coverage label_delay orphan_label_rate",
        "drift": "kl hellinger total_variation wasserstein ks chi2 linf mean_shift variance_ratio quantile_shift tail_share share_drifted "
        "weighted mmd correlation domain_classifier embedding",
        "performance": "balanced_accuracy precision recall specificity fpr fnr fbeta mcc pr_auc gini log_loss brier lift_at_k value "
        "top_k_accuracy kappa mse mape smape wape r2 bias max_error quantile_loss estimated_accuracy estimated_f1 estimated_roc_auc "
        "estimated_mae estimated_rmse delay_corrected",
        "fairness": "selection_rate demographic_parity_difference demographic_parity_ratio equal_opportunity_difference "
        "equalized_odds_difference average_odds_difference predictive_parity_difference fpr_parity fnr_parity fdr_parity for_parity "
        "accuracy_parity treatment_equality calibration_gap conditional_demographic_disparity mean_prediction_gap error_gap",
        "uncertainty": "confidence entropy margin ensemble_variance ece mce brier_reliability brier_resolution interval_coverage "
        "interval_width set_coverage set_size pit_uniformity quantile_loss",
        "change": "adwin kswin ddm eddm hddm_a hddm_w page_hinkley cusum ewma harmful",
        "explain": "attribution_drift influence_gap",
        "service": "latency_p50 latency_p95 latency_p99 throughput error_rate availability",
        "compare": "difference disagreement mcnemar",
    }.items()
    for name in names.split()
)


def measure(name: str) -> Measure:
    """The measure called `name`; ConfigError if it is unknown or not built yet."""
    if name in BUILT:
        return BUILT[name]
    if name in PLANNED:
        raise ConfigError(f"measure `{name}` is not available yet", remedy="available: " + ", ".join(BUILT))
    raise ConfigError(f"there is no measure `{name}`", remedy="available: " + ", ".join(BUILT))
