"""The monitors of fairness of the census."""

from __future__ import annotations

from typing import Any


def fair(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Every measure of groups: between any two, from one, from all rows; within a dimension; against the reference and the window before."""
    long = {"target": {"window": "5d"}}
    by_education: dict[str, Any] = {**shared, "segments": ["all"], "attributes": ["education"]}
    rates = (
        "predictive_parity_difference",
        "fpr_parity",
        "fnr_parity",
        "fdr_parity",
        "for_parity",
        "accuracy_parity",
        "treatment_equality",
    )
    watched: dict[str, dict[str, Any]] = {
        "demographic_parity_difference": {"attributes": ["sex"], "segments": ["all", "education"], "baseline": "reference", "warn": 0.1},
        "demographic_parity_ratio": {"warn": {"below": 0.8}, "params": {"reference": "overall"}},
        "equal_opportunity_difference": {"attributes": ["sex*education"], "params": {"min_group": 10}, "baseline": "previous", **long},
        "equalized_odds_difference": {"params": {"reference": "overall"}, "warn": {"above": 0.2}, **long},
        "average_odds_difference": {"params": {"reference": "education=master", "min_group": 40}},
        **{name: {"target": {"window": "3d"}, "params": {"min_group": 20}} for name in rates},
    }
    found = [{**by_education, "monitor": f"fair-{name}", "measure": f"fairness.{name}", **more} for name, more in watched.items()]
    by_score: dict[str, dict[str, Any]] = {
        "demographic_parity_difference": {"params": {"threshold": 0.7}, "attributes": ["sex"], "baseline": "previous"},
        "equal_opportunity_difference": {"params": {"threshold": 0.3}, "attributes": ["sex"], **long},
        "selection_rate": {"params": {"threshold": 0.61}, "attributes": ["sex"]},
        "calibration_gap": {"baseline": "reference", "warn": 0.05, **long},
        "conditional_demographic_disparity": {"params": {"by": "education"}, "attributes": ["sex*education"], "warn": {"above": 0.1}},
    }
    found += [{**by_education, "monitor": f"score-{name}", "measure": f"fairness.{name}", **more} for name, more in by_score.items()]
    selected = {
        "monitor": "selected",
        "measure": "fairness.selection_rate",
        "attributes": ["sex", "sex*education"],
        "params": {"min_group": 40},
    }
    usual = {"monitor": "fair-ratio", "measure": "fairness.demographic_parity_ratio"}  # of all protected attributes
    return [*found, {**by_education, **selected}, {**shared, "segments": ["all", "education"], **usual}]
