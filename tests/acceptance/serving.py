"""The census's monitors of how the model serves, of changes in its errors, of how its roles compare, and of its attributions."""

from __future__ import annotations

from typing import Any


def served(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """How the model serves."""
    watched: dict[str, dict[str, Any]] = {
        "latency_p50": {"baseline": "previous"},
        "latency_p95": {"warn": 90, "critical": 120, "segments": ["all", "@status"]},
        "latency_p99": {"baseline": "reference", "target": {"window": "2d", "every": "1d"}},
        "throughput": {"segments": ["all", "education"], "warn": {"below": 0.004}},
        "error_rate": {"warn": 0.14, "baseline": "reference"},
        "availability": {"params": {"objective": 0.9, "period": "7d"}, "warn": {"below": 0.86}},
        "burn_rate": {"params": {"objective": 0.9, "short": "4h"}, "warn": 1.2, "critical": 2},
    }
    return [
        {**shared, "segments": ["all", "sex"], "monitor": f"service-{name}", "measure": f"service.{name}", **more}
        for name, more in watched.items()
    ]


def changed(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Changes in the errors of the model; detectors of few rows begin anew often."""
    watched: dict[str, dict[str, Any]] = {
        "adwin": {"params": {"delta": 0.3, "rows": 1_500}, "segments": ["all", "sex"]},
        "kswin": {"params": {"alpha": 0.02, "rows": 4_000}, "target": {"window": "2d", "every": "1d"}},
        "page_hinkley": {"params": {"threshold": 8, "delta": 0.001}},
        "ddm": {"params": {"drift_threshold": 2}, "warn": 1, "critical": 2},
        "eddm": {"params": {"rows": 1_000}},
        "hddm_a": {"params": {"drift_confidence": 0.1}, "target": {"window": "6h"}, "min_samples": 2},
        "cusum": {"params": {"learn": 5, "h": 2}, "segments": ["all", "sex"]},
        "ewma": {"params": {"of": "performance.recall", "mean": 0.7, "sd": 0.02, "limit": 2}},
        "hddm_w": {"params": {"drift_confidence": 0.1, "two_sided_test": True}},
        "harmful": {"params": {"wait": "2d", "tolerance": 0.0, "alpha": 0.2}, "segments": ["all", "sex"]},
    }
    return [
        {**shared, "segments": ["all"], "monitor": f"change-{name}", "measure": f"change.{name}", **more} for name, more in watched.items()
    ]


def compared(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """How the roles of the model compare, which is known in the course of the month; and what its predictions owe to features."""
    roles = {"a": {"role": "champion"}, "b": {"role": "shadow"}, "params": {"of": "performance.accuracy", "margin": 0.05}}
    return [
        {**shared, "segments": ["all", "sex"], "monitor": "roles-accuracy", "measure": "compare.difference", **roles},
        {**shared, "segments": ["all", "sex"], "monitor": "explain-attribution_drift", "measure": "explain.attribution_drift", "warn": {"below": 0.99}},
        {**shared, "segments": ["all", "education"], "monitor": "explain-influence_gap", "measure": "explain.influence_gap", "columns": ["hours", "education"], "warn": 0.2},
    ]  # fmt: skip
