"""The names of planned measures, so that one that is not built yet is refused by its name."""

from __future__ import annotations

PLANNED = frozenset(
    f"{family}.{name}"
    for family, names in {
        "performance": "estimated_mae estimated_rmse delay_corrected",
        "fairness": "selection_rate demographic_parity_difference demographic_parity_ratio equal_opportunity_difference "
        "equalized_odds_difference average_odds_difference predictive_parity_difference fpr_parity fnr_parity fdr_parity for_parity "
        "accuracy_parity treatment_equality calibration_gap conditional_demographic_disparity mean_prediction_gap error_gap",
        "uncertainty": "pit_uniformity quantile_loss",
        "change": "adwin kswin ddm eddm hddm_a hddm_w page_hinkley cusum ewma harmful",
        "explain": "attribution_drift influence_gap",
        "service": "latency_p50 latency_p95 latency_p99 throughput error_rate availability",
        "compare": "difference disagreement mcnemar",
    }.items()
    for name in names.split()
)
