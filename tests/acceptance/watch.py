"""The definitions of the acceptance tests: both models of the demo, every measure for the year, and one of each kind of evidence for worlds that prove something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from tests.oracle.expected import expected
from tests.oracle.rows import Rows
from tests.oracle.spec import Spec
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import send

SEGMENTS = ("origin", "carrier")
_OVERRUN = "where(abs(prediction - label) > 15 and not isnull(temp), max(distance, 500) / 100, abs(prediction - label))"
_MANY = ["all", *SEGMENTS]  # with the sixteen carriers: a monitor of each kind of evidence has them, and the others have the three origins
_FIELDS = {"latency": "latency_ms", "status": "status", "attribution_prefix": "attribution_"}
_SIGNALS = ("@latency_ms", "@status", "@outside", "@attribution:hour")
_NUMBERS, _PLACES = ["temp", "precip", "visib", "distance"], ["dest", "@prediction"]
_WEEKLY: dict[str, dict[str, Any]] = {  # the other measures of columns
    "quality.invalid_rate": {"columns": ["temp", "dest"]},
    "quality.unseen_category_rate": {"columns": ["dest"], "baseline": "previous"},
    "quality.out_of_range_rate": {"warn": 0.02},
    "quality.constant": {"columns": ["precip", "dest"]},
    "quality.distinct": {"columns": ["dest", "carrier"]},
    "quality.new_categories": {"columns": ["dest", "carrier"], "warn": 1},
    "drift.kl": {"columns": [*_NUMBERS, *_PLACES]},
    "drift.hellinger": {"columns": [*_NUMBERS, *_PLACES], "baseline": "previous"},
    "drift.total_variation": {"columns": [*_NUMBERS, *_PLACES], "critical": 0.3},
    "drift.linf": {"columns": [*_NUMBERS, *_PLACES], "baseline": "previous"},
    "drift.chi2": {"columns": [*_NUMBERS, *_PLACES]},
    "drift.ks": {"warn": 0.1},
    "drift.wasserstein": {"baseline": "previous", "warn": 0.5},
    "drift.mean_shift": {"warn": 0.5, "critical": 1},
    "drift.variance_ratio": {"baseline": "previous", "warn": 2},
    "drift.quantile_shift": {"params": {"q": 0.9}, "warn": 0.5},
    "drift.tail_share": {"warn": 0.05},
}
# Of each kind of evidence one, against each baseline: in worlds in which events come in disorder or processes die, measures of one kind share all that could go wrong.
_FEW = {
    "nulls", "psi", "js-before", "quality.new_categories", "quality.distinct", "drift.wasserstein", "drift.tail_share", "drift.mean_shift",
    "coverage", "delay", "late", "freshness", "volume-week", "schema", "orphans", "drifted", "mmd", "correlation",
    "mae", "mae-week", "rmse", "r2", "accuracy", "f1-week", "roc_auc", "estimated", "error_gap", "mean_prediction_gap", "equalized_odds_difference",
    "demographic_parity_ratio", "signals", "signals-js", "confidence", "ece", "interval_width", "interval_coverage", "overrun", "corrected",
}  # fmt: skip


def observed(pair: flights.Pair, folder: Path) -> flights.Pair:
    """The files with the optional fields latency, status and an attribution, with nulls and invalid values."""
    paths = []
    for seed, path in enumerate((pair.reference, pair.stream)):
        frame, rng = pd.read_parquet(path), np.random.default_rng(seed)
        rows = len(frame)
        frame["latency_ms"] = rng.lognormal(3 + seed / 5, 0.8, rows).round(3)
        frame["status"] = np.array(["ok", "error", "late"], object)[rng.choice(3, rows, p=[0.9, 0.08, 0.02])]
        frame["attribution_hour"] = rng.normal(seed / 5, 1, rows).round(4)
        frame.loc[rng.random(rows) < 0.02, "latency_ms"] = -1.0
        for name in ("latency_ms", "status", "attribution_hour"):
            frame.loc[rng.random(rows) < 0.03, name] = None
        if pair.task == "regression":
            half = rng.gamma(4, 8, rows).round(2)
            frame["low"], frame["high"] = frame["prediction"] - half, frame["prediction"] + half
            frame.loc[rng.random(rows) < 0.03, "low"] = None
            for member in range(3):
                frame[f"member_{member}"] = (frame["prediction"] + rng.normal(0, 30, rows)).round()
                frame.loc[rng.random(rows) < 0.02, f"member_{member}"] = None
        paths.append(folder / f"observed-{path.name}")
        frame.to_parquet(paths[-1], index=False)
    return replace(pair, reference=paths[0], stream=paths[1])


def options(pair: flights.Pair, *, every: bool = False) -> dict[str, Any]:
    """The options of the reference: with signals if the files have their fields, else without signals; and with the sixteen carriers where there is `every` measure."""
    segments = SEGMENTS if every else SEGMENTS[:1]
    more: dict[str, Any] = {**_FIELDS, "segments": [*segments, "@status"]} if _is_observed(pair) else {}
    more |= {"interval": ["low", "high", "0.8"], "ensemble_prefix": "member_"} if _is_observed(pair) and pair.task == "regression" else {}
    return {"task": pair.task, "segments": [*segments], "features": list(flights.FEATURES), **more}


def _is_observed(pair: flights.Pair) -> bool:
    return "latency_ms" in pq.read_schema(pair.reference).names


def monitors(pair: flights.Pair, *, every: bool = False) -> list[dict[str, Any]]:
    """Monitors of `every` measure, or else of every kind of evidence, over few columns and segments; as YAML."""
    found = _every(pair)
    return found if every else [_narrow(monitor) for monitor in found if monitor["monitor"] in _FEW]


def _narrow(monitor: dict[str, Any]) -> dict[str, Any]:
    """The monitor with at most four columns, and without the sixteen carriers, which panes of these worlds do not have either."""
    narrowed = dict(monitor)
    for key in monitor.keys() & {"segments", "attributes"}:
        narrowed[key] = [name for name in monitor[key] if name != "carrier"]
    kept = ("temp", "humid", "dest", "@prediction", "@label", *_SIGNALS[:2], "@confidence")
    if len(columns := monitor.get("columns", [])) > len(_NUMBERS):
        narrowed["columns"] = [name for name in columns if name in kept]
    return narrowed


def _every(pair: flights.Pair) -> list[dict[str, Any]]:
    columns = [*flights.FEATURES, "@prediction", "@label"]
    shared = {"model": pair.model, "segments": ["all", "origin"], "min_samples": 30}
    watched: list[dict[str, Any]] = [
        {"monitor": "nulls", "measure": "quality.null_rate", "columns": ["temp", "humid", "dest"], "warn": 0.01, "critical": 0.05},
        {"monitor": "psi", "measure": "drift.psi", "columns": columns, "warn": 0.1, "critical": 0.25},
        {
            "monitor": "js-before",
            "measure": "drift.js",
            "columns": _PLACES,
            "segments": _MANY,
            "baseline": "previous",
            "target": {"window": "7d"},
        },
    ]
    weekly = {"target": {"window": "7d"}}
    for measure, more in _WEEKLY.items():
        watched.append({"monitor": measure, "measure": measure, **weekly, "columns": _NUMBERS, **more})
    watched += [
        {"monitor": "coverage", "measure": "quality.label_coverage", "segments": _MANY, "warn": {"below": 0.99}, "baseline": "reference"},
        {"monitor": "coverage-week", "measure": "quality.label_coverage", "target": {"window": "7d"}, "params": {"wait": "2d"}},
        {"monitor": "delay", "measure": "quality.label_delay", "baseline": "previous", "target": {"window": "7d"}, "warn": 9_000},
        {"monitor": "delay-tail", "measure": "quality.label_delay", "params": {"q": 0.9}, "segments": ["all"]},
        {"monitor": "late", "measure": "quality.late_rate", "segments": ["all"], "params": {"after": "7d"}},
        {
            "monitor": "freshness",
            "measure": "quality.freshness",
            "segments": ["all"],
            "target": {"window": "6h"},
            "warn": 7_200,
            "critical": 14_400,
        },
        {"monitor": "volume", "measure": "quality.volume", "warn": 1.5, "critical": 3},
        {"monitor": "volume-week", "measure": "quality.volume", "segments": ["all"], "baseline": {"prior": "7d"}, "warn": 2},
        {"monitor": "schema", "measure": "quality.schema_changes", "segments": ["all"], "warn": 1},
        {"monitor": "orphans", "measure": "quality.orphan_label_rate", "segments": ["all"], "baseline": "previous", "warn": 0.01},
    ]
    watched += [
        {"monitor": "drifted", "measure": "drift.share_drifted", **weekly, "params": {"floor": 0.05}, "warn": 0.2, "critical": 0.5},
        {
            "monitor": "weighted",
            "measure": "drift.weighted",
            **weekly,
            "params": {"weights": {"temp": 3, "hour": 1, "dest": 0.5}},
            "warn": 0.1,
        },
        {"monitor": "mmd", "measure": "drift.mmd", **weekly, "warn": 0.01},
        {"monitor": "correlation", "measure": "drift.correlation", **weekly, "baseline": "previous", "warn": 0.2},
        {"monitor": "drifted-before", "measure": "drift.share_drifted", **weekly, "segments": ["all"], "baseline": "previous"},
    ]
    names = ("mae", "rmse") if pair.task == "regression" else ("accuracy", "f1", "roc_auc")
    limits = {"warn": 5, "critical": 10} if pair.task == "regression" else {"warn": 0.05, "critical": 0.1}
    for name in names:
        measure = f"performance.{name}"
        daily, of_week = ({}, {"segments": _MANY}) if name == "roc_auc" else ({"segments": _MANY} if name == names[0] else {}, {})
        watched += [
            {"monitor": name, "measure": measure, "baseline": "reference", **daily, **limits},
            {"monitor": f"{name}-week", "measure": measure, "baseline": "previous", "target": {"window": "7d"}, **of_week, **limits},
        ]
    regression = pair.task == "regression"
    corrected = {"of": "performance.mae" if regression else "performance.accuracy", "learn": 7}
    segments, limit = (["all"], {"above": 20}) if regression else (["all", "origin"], {"below": 0.8})
    shape = {"target": {"window": "7d"}, "segments": segments, "params": corrected, "warn": limit}
    watched.append({"monitor": "corrected", "measure": "performance.delay_corrected", **shape})
    if pair.task == "binary":
        watched += [
            {"monitor": "estimated", "measure": "performance.estimated_accuracy", "baseline": "reference", "warn": 0.03},
            {"monitor": "estimated-week", "measure": "performance.estimated_roc_auc", **weekly, "baseline": "previous"},
        ]
    if pair.task == "regression":
        errors: dict[str, dict[str, Any]] = {
            "mse": {},
            "bias": {"warn": 2},
            "mape": {},
            "smape": {},
            "wape": {},
            "r2": {},
            "max_error": {},
            "quantile_loss": {"params": {"q": 0.8}},
        }
        for name, params in errors.items():
            watched.append({"monitor": name, "measure": f"performance.{name}", **weekly, "baseline": "reference", **params})
        watched.append(
            {"monitor": "overrun", "measure": "user.overrun", "expression": _OVERRUN, **weekly, "segments": ["all"], "warn": {"above": 9}}
        )
    fair = ("mean_prediction_gap", "error_gap") if pair.task == "regression" else ("equalized_odds_difference", "demographic_parity_ratio")
    for name in fair:
        watched.append({"monitor": name, "measure": f"fairness.{name}", **weekly, "segments": ["all"], "attributes": ["origin", "carrier"]})
    if _is_observed(pair):
        signals = [*_SIGNALS, *(["@confidence", "@entropy", "@margin"] if pair.task == "binary" else [])]
        several = {"columns": signals, "segments": ["all", "origin", "@status"]}
        watched += [
            {"monitor": "signals", "measure": "drift.psi", **several},
            {"monitor": "signals-js", "measure": "drift.js", **several, "baseline": "previous", "target": {"window": "7d"}},
            {"monitor": "signals-null", "measure": "quality.null_rate", **several},
        ]
        watched += _sureness(pair)
    return [{**shared, **monitor} for monitor in watched]


def _sureness(pair: flights.Pair) -> list[dict[str, Any]]:
    """How sure the model is, and how rightly."""
    if pair.task == "binary":
        measures: dict[str, dict[str, Any]] = {
            "confidence": {"warn": 0.01},
            "entropy": {"warn": 0.02},
            "margin": {"warn": 0.02},
            "ece": {"target": {"window": "7d"}},
        }
    else:
        measures = {
            "interval_width": {"warn": 1},
            "interval_coverage": {"params": {"promise": 0.8}, "warn": 0.02, "critical": 0.05},
            "pit_uniformity": {"warn": 0.02},
            "quantile_loss": {"target": {"window": "7d"}, "warn": 1},
        }
    shared = {"baseline": "reference"}
    return [{"monitor": name, "measure": f"uncertainty.{name}", **shared, **more} for name, more in measures.items()]


def define(client: Client, pair: flights.Pair, *, every: bool = False) -> None:
    """Give the model its reference and its monitors, those of `every` measure or the few."""
    signals = {} if _is_observed(pair) else {"signals": "none"}
    client.reference(pair.model, pair.reference.read_bytes(), **options(pair, every=every), **signals)
    client.apply(yaml.safe_dump(monitors(pair, every=every)))


def replay(client: Client, pair: flights.Pair, stream: Path | None = None) -> None:
    """Send a stream file, and check that nothing was rejected."""
    contract = document.read(client.contract(pair.model))
    receipt = send(client, Recording(stream or pair.stream, contract))
    assert (receipt.rejected, receipt.predictions.errors, receipt.labels.errors) == (0, [], [])


def ruler(pair: flights.Pair, stream: pd.DataFrame, orphans: Sequence[Mapping[str, Any]] = (), *, every: bool = False) -> pd.DataFrame:
    """The expected readings; `orphans` are labels without a prediction."""
    late = [row["ts"] * 1_000 for row in orphans]
    spec, whole = _spec(pair, every=every), _reference(pair, every=every)
    return expected(whole.reference, stream, replace(spec, orphans=late), whole)


@cache
def _reference(pair: flights.Pair, *, every: bool) -> Rows:
    """The rows of the reference, which remember for later streams how their windows differ."""
    frame = pd.read_parquet(pair.reference)
    return Rows(frame, frame, _spec(pair, every=every))


def _spec(pair: flights.Pair, *, every: bool) -> Spec:
    return Spec(monitors=monitors(pair, every=every), signals=_is_observed(pair), **options(pair, every=every))


def readings(client: Client, pair: flights.Pair, *, every: bool = False) -> list[dict[str, Any]]:
    """All readings of the watched monitors."""
    return [
        item
        for monitor in monitors(pair, every=every)
        for item in client.readings(model=pair.model, monitor=monitor["monitor"], limit=10_000)
    ]
