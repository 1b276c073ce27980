"""A generated census as a stream, similar to UCI's `adult`: events in no order of time, many kinds of columns, nulls, a protected attribute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.acceptance.fair import fair
from tests.acceptance.records import records
from tests.acceptance.serving import changed, compared, served

MODEL = "income"
FEATURES = ["age", "hours", "gain", "married", "education", "sex", "occupation", "note"]
OPTIONS: dict[str, Any] = {
    "task": "binary",
    "segments": ["education", "sex*education", "@status"],
    "protected": ["sex"],
    "features": FEATURES,
    "text": ["note"],
    "latency": "latency_ms",
    "status": "status",
    "caller": "caller",
    "attribution_prefix": "attribution_",
    "prediction_set": "likely",
    "ensemble_prefix": "member_",
}
# What 0.1.0 was given (`tests/acceptance/versions`).
OLDEST_COLUMNS = ["prediction_id", "ts", *FEATURES[:7], "prediction", "score", "label", "label_ts"]
OLDEST_OPTIONS: dict[str, Any] = {
    "task": "binary",
    "segments": ["education", "sex*education"],
    "protected": ["sex"],
    "features": FEATURES[:7],
}
SIGNALS = ["@confidence", "@entropy", "@margin", "@latency_ms", "@status", "@caller", "@outside", "@attribution:hours"]
NOTE = ["@text:note:length", "@text:note:words", "@text:note:letters", "@text:note:non_ascii", "@text:note:distinct"]
# One of each kind of evidence. Trees are trained on the rows that `drift.wasserstein` reads, too: they are left out.
_FEW = {
    "nulls", "psi", "signals-js", "note-tails", "drift.wasserstein", "drift.mean_shift", "quality.distinct", "accuracy", "estimated-accuracy",
    "performance-value", "auc", "performance-lift_at_k", "performance-log_loss", "coverage", "delay", "drifted", "correlation", "confidence", "ece",
    "set_coverage", "adaptive_coverage", "corrected", "fair-demographic_parity_ratio", "fair-equal_opportunity_difference", "selected", "cost", "f1-weighted",
    "score-demographic_parity_difference", "score-equal_opportunity_difference", "score-selection_rate", "score-calibration_gap",
    "change-adwin", "change-cusum", "change-harmful", "service-latency_p95", "service-throughput", "service-burn_rate",
    "roles-accuracy", "explain-attribution_drift", "explain-influence_gap",
}  # fmt: skip
_WORDS = ["moved", "since", "2019", "wants", "a", "house", "naïve?", "日本", "🏡", "call", "back!"]
COST = 'where(label == 1 and prediction == 0, where(education == "master", hours / 2, 100), 5)'
DAYS = 30
_START = pd.Timestamp("2024-03-01", tz="UTC")
_EDUCATION = ["school", "college", "bachelor", "master", "doctor"]
_OCCUPATION = ["craft", "sales", "clerk", "farm", "care", "transport", "tech", "exec"]


def people(rows: int, seed: int, *, drift: float = 0.0, days: int = DAYS) -> pd.DataFrame:
    """So many people of some days, in no order of time; `drift` changes hours, education and the model's errors."""
    rng = np.random.default_rng(seed)
    ts = _START + pd.to_timedelta(rng.integers(0, days * 86_400_000, rows), unit="ms")
    age, hours = rng.integers(17, 90, rows), np.clip(rng.normal(40 + 8 * drift, 12, rows).round(), 1, 99)
    level = np.clip(rng.normal(1.6 + drift, 1.1, rows).round(), 0, 4).astype(int)
    gain = np.where(rng.random(rows) < 0.9, 0.0, rng.lognormal(8, 1, rows).round(2))
    married = rng.random(rows) < 0.5
    logit = 0.03 * (age - 40) + 0.05 * (hours - 40) + 0.8 * (level - 2) + 0.9 * married + 0.0002 * gain - 1
    score = np.round(1 / (1 + np.exp(-logit)), 6)
    label = (rng.random(rows) < 1 / (1 + np.exp(-logit * (1 - drift)))).astype(float)
    frame = pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{place:08d}" for place in rng.permutation(rows)],
            "ts": ts.as_unit("us"),
            "age": age.astype(float),
            "hours": hours,
            "gain": gain,
            "married": married.astype(object),
            "education": np.array(_EDUCATION, object)[level],
            "sex": np.array(["f", "m"], object)[(rng.random(rows) < 0.67).astype(int)],
            "occupation": np.array(_OCCUPATION, object)[rng.integers(0, len(_OCCUPATION), rows)],
            "prediction": (score >= 0.5).astype(int),
            "score": score,
            "label": np.where(rng.random(rows) < 0.9, label, np.nan),
            "label_ts": (ts + pd.Timedelta(days=2)).as_unit("us"),
            "weight": 1 + age % 3,
        }
    )
    for name, share in (("age", 0.02), ("occupation", 0.06), ("education", 0.01)):
        frame.loc[rng.random(rows) < share, name] = None
    return observed(noted(frame, seed, drift=drift), seed, drift=drift)


def noted(frame: pd.DataFrame, seed: int, *, drift: float = 0.0) -> pd.DataFrame:
    """The frame with a column of free text, with nulls; with `drift` texts are longer, and some are empty or numbers."""
    rng, rows = np.random.default_rng([seed, 2]), len(frame)
    lengths = rng.poisson(6 * (1 + drift), rows)
    words = np.array(_WORDS, object)[rng.integers(0, len(_WORDS), int(lengths.sum()))]
    texts = np.array([" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])], object)
    if drift:
        texts[rng.random(rows) < 0.1] = ""
        texts[rng.random(rows) < 0.02] = 7
    texts[rng.random(rows) < 0.04] = None
    return frame.assign(note=texts)


def observed(frame: pd.DataFrame, seed: int, *, drift: float = 0.0) -> pd.DataFrame:
    """The frame with the optional fields latency, status, caller and attributions, with nulls and invalid values, and with a role."""
    rng, rows = np.random.default_rng([seed, 1]), len(frame)
    added = pd.DataFrame(
        {
            "latency_ms": rng.lognormal(3 + drift, 0.8, rows).round(3),
            "status": np.array(["ok", "error", "late"], object)[rng.choice(3, rows, p=[0.9 - 0.2 * drift, 0.08 + 0.2 * drift, 0.02])],
            "caller": np.array(["web", "app", "a=b"], object)[rng.integers(0, 3, rows)],
            "attribution_hours": rng.normal(drift, 1, rows).round(4),
        },
        index=frame.index,
    )
    added.loc[rng.random(rows) < 0.02, "latency_ms"] = -1.0
    if drift:  # callers that the reference does not know
        strange = rng.random(rows) < 0.1 * drift
        added.loc[strange, "caller"] = [f"bot-{number}" for number in rng.integers(0, 4, int(strange.sum()))]
    for name in added:
        added.loc[rng.random(rows) < 0.03, name] = None
    own = np.random.default_rng([seed, 4])  # mean sizes of attributions are so near that their ranking changes from day to day
    added["attribution_education"] = own.normal(0, 1, rows).round(4)
    added["role"] = np.array(["champion", "shadow"], object)[(own.random(rows) < 0.4).astype(int)]
    return uncertain(pd.concat([frame, added], axis=1), seed, drift=drift)


def uncertain(frame: pd.DataFrame, seed: int, *, drift: float = 0.0) -> pd.DataFrame:
    """The frame with the classes that are likely, a set, and an ensemble's scores; some rows have none. With `drift` sets are smaller, and members differ more."""
    rng, rows = np.random.default_rng([seed, 3]), len(frame)
    score, least = frame["score"].to_numpy(), 0.2 + drift
    sets = [[value for value, share in ((0, 1 - one), (1, one)) if share >= least] for one in score.tolist()]
    members = {f"member_{name}": np.clip(score + rng.normal(0, 0.05 + 0.1 * drift, rows), 0, 1).round(4) for name in ("a", "b", "c")}
    unsure = rng.random(rows) < 0.04
    members = {name: np.where(unsure, np.nan, values) for name, values in members.items()}
    likely: list[Any] = [None if lost else one for one, lost in zip(sets, rng.random(rows) < 0.05, strict=True)]
    return frame.assign(likely=likely, **members)


def fields(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The optional fields of events, those of `observed`; a null is not sent."""
    given: list[dict[str, Any]] = records(rows[["latency_ms", "status", "caller", "role"]])
    parts = records(rows[["attribution_hours", "attribution_education", "member_a", "member_b", "member_c"]])
    each = [{name: value for name, value in one.items() if value is not None} for one in given]
    sets = [{} if members is None else {"prediction_set": members} for members in rows["likely"].tolist()]
    return [one | likely | _parts(part) for one, likely, part in zip(each, sets, parts, strict=True)]


def _parts(part: dict[str, Any]) -> dict[str, Any]:
    members = [part[f"member_{name}"] for name in ("a", "b", "c")]
    owed = {name: part[f"attribution_{name}"] for name in ("hours", "education") if part[f"attribution_{name}"] is not None}
    found: dict[str, Any] = {"attributions": owed} if owed else {}
    return found if members[0] is None else found | {"ensemble": members}


def few() -> list[dict[str, Any]]:
    """Of `monitors` one for each kind of evidence, over three columns: for worlds that prove something else than measures."""
    narrow = ({**one, "columns": one["columns"][:3]} if "columns" in one else one for one in monitors())
    return [one for one in narrow if one["monitor"] in _FEW]


def trees() -> list[dict[str, Any]]:
    """The monitor that trains trees."""
    return [one for one in monitors() if one["monitor"] == "classifier"]


def monitors() -> list[dict[str, Any]]:
    """Every family, by education, by sex, and by both, in windows of a day and of five, and in sliding ones."""
    shared = {"model": MODEL, "segments": ["all", "education", "sex", "sex*education"], "min_samples": 20}
    return [
        {**shared, "monitor": "nulls", "measure": "quality.null_rate", "columns": FEATURES, "warn": 0.03, "critical": 0.06},
        {
            **shared,
            "monitor": "found",
            "measure": "quality.null_rate",
            "columns": ["hours"],
            "segments": {"auto": ["education", "@status"], "min_share": 0.1, "most": 2},
        },
        {**shared, "monitor": "psi", "measure": "drift.psi", "columns": [*FEATURES, "@prediction", "@score"], "target": {"window": "5d"}},
        {**shared, "monitor": "js", "measure": "drift.js", "columns": ["hours", "@label"], "baseline": {"prior": "2d"}},
        {
            **shared,
            "monitor": "hellinger",
            "measure": "drift.hellinger",
            "columns": ["age", "education"],
            "target": {"window": "3d", "every": "1d"},
        },
        {**shared, "monitor": "signals", "measure": "drift.psi", "columns": SIGNALS, "segments": ["all", "sex", "@status"]},
        {**shared, "monitor": "signals-js", "measure": "drift.js", "columns": SIGNALS, "segments": ["all"], "baseline": "previous"},
        {**shared, "monitor": "signals-null", "measure": "quality.null_rate", "columns": SIGNALS, "segments": ["all", "@status"]},
        {**shared, "monitor": "note-psi", "measure": "drift.psi", "columns": ["note", *NOTE], "segments": ["all", "sex"]},
        {**shared, "monitor": "note-empty", "measure": "quality.empty_rate", "columns": ["note", "age"], "baseline": "reference"},
        {**shared, "monitor": "note-tails", "measure": "drift.tail_share", "columns": NOTE, "segments": ["all"]},
        *measures(shared),
        {
            **shared,
            "monitor": "accuracy-by-status",
            "measure": "performance.accuracy",
            "segments": ["all", "@status"],
            "baseline": "reference",
        },
        {**shared, "monitor": "accuracy", "measure": "performance.accuracy", "baseline": "reference", "warn": 0.05},
        {
            **shared,
            "monitor": "precision",
            "measure": "performance.precision",
            "baseline": "previous",
            "target": {"window": "4d", "every": "2d"},
        },
        {**shared, "monitor": "estimated-accuracy", "measure": "performance.estimated_accuracy", "baseline": "reference", "warn": 0.02},
        {**shared, "monitor": "estimated-f1", "measure": "performance.estimated_f1", "target": {"window": "2d", "every": "1d"}},
        {**shared, "monitor": "estimated-auc", "measure": "performance.estimated_roc_auc", "baseline": "previous"},
        *performance({**shared, "segments": ["all", "education"]}),
        {**shared, "monitor": "coverage", "measure": "quality.label_coverage", "baseline": "reference", "warn": {"below": 0.85}},
        {**shared, "monitor": "delay", "measure": "quality.label_delay", "segments": ["all", "sex"], "baseline": "reference"},
        {**shared, "segments": ["all", "sex"], "monitor": "drifted", "measure": "drift.share_drifted", "warn": 0.3},
        {
            **shared,
            "segments": ["all", "sex"],
            "monitor": "weighted",
            "measure": "drift.weighted",
            "target": {"window": "2d", "every": "1d"},
        },
        {**shared, "segments": ["all", "education"], "monitor": "mmd", "measure": "drift.mmd", "baseline": "previous", "warn": 0.005},
        {
            **shared,
            "segments": ["all", "sex"],
            "monitor": "correlation",
            "measure": "drift.correlation",
            "target": {"window": "2d", "every": "1d"},
        },
        *sureness(shared),
        {
            **shared,
            "segments": ["all"],
            "monitor": "classifier",
            "measure": "drift.domain_classifier",
            "target": {"window": "15d"},
            "warn": 0.6,
        },
        *served(shared),
        *changed(shared),
        *compared(shared),
        *fair(shared),
        {
            **shared,
            "segments": ["all", "sex"],
            "monitor": "cost",
            "measure": "user.cost",
            "expression": COST,
            "baseline": "reference",
            "warn": 1,
        },
        {**shared, "monitor": "auc", "measure": "performance.roc_auc", "baseline": "previous", "target": {"window": "5d"}},
    ]


def spans() -> list[dict[str, Any]]:
    """Windows and baselines of every kind, each with another kind of evidence; clocks change in New York on March 10, 2024."""
    york, week = {"timezone": "America/New_York"}, {"window": "week_to_date", "timezone": "Europe/Rome", "offset": "2h"}
    days = {"window": "daily", **york}
    watched: dict[str, dict[str, Any]] = {
        "drift.psi": {"columns": ["hours", "education"], "target": days, "baseline": {"same_weekday": 2}, "warn": 0.2},
        "drift.mean_shift": {"columns": ["age"], "target": days, "baseline": "expanding"},
        "drift.wasserstein": {"columns": ["age"], "target": "week_to_date", "baseline": {"rolling": "10d"}},
        "quality.null_rate": {"columns": ["age"], "target": "daily", "baseline": {"from": "2024-03-02", "to": "2024-03-07"}, "warn": 0.1},
        "quality.distinct": {"columns": ["occupation"], "target": {"window": "monthly", **york}},
        "quality.volume": {"target": days, "baseline": {"same_weekday": 3}, "warn": 1.2},
        "quality.label_coverage": {"target": "quarter_to_date"},
        "quality.label_delay": {"target": {"window": "2d", "every": "1d"}, "baseline": {"previous": 2}},
        "performance.accuracy": {"target": {"window": "weekly", "week_start": "sunday", **york}, "baseline": {"previous": 2}, "warn": 0.05},
        "performance.kappa": {"target": {"window": "year_to_date", "year_start": 3, **york}},
        "performance.log_loss": {"target": {"window": "1d", "every": "12h"}, "baseline": {"rolling": "7d"}},
        "performance.roc_auc": {"target": week, "baseline": "previous"},
        "performance.pr_auc": {"target": week, "baseline": {"same_period_last": "week"}, "warn": 0.05},
        "performance.f1": {"target": {"window": "month_to_date", "offset": "3d"}, "baseline": "previous"},
        "fairness.demographic_parity_difference": {"attributes": ["sex"], "target": "quarterly"},
    }
    excluded = [{"from": "2024-03-08", "to": "2024-03-09"}, {"from": "2024-03-10T06:00:00Z", "to": "2024-03-12"}]
    watched["performance.log_loss"]["exclude"] = watched["drift.mean_shift"]["exclude"] = excluded
    return [{"model": MODEL, "min_samples": 20, "monitor": f"span-{name}", "measure": name, **more} for name, more in watched.items()]


def sureness(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """How sure the model is, and how rightly."""
    watched: dict[str, dict[str, Any]] = {
        "confidence": {"baseline": "reference", "warn": 0.01},
        "entropy": {"warn": {"above": 0.5}, "baseline": None, "target": {"window": "2d", "every": "1d"}},
        "margin": {"baseline": "previous"},
        "ensemble_variance": {"baseline": "reference", "critical": 0.002},
        "set_size": {"baseline": {"prior": "2d"}},
        "ece": {"baseline": "reference", "warn": 0.02, "target": {"window": "5d"}},
        "mce": {"warn": {"above": 0.1}},
        "brier_reliability": {"baseline": "previous", "warn": 0.01},
        "brier_resolution": {"baseline": "reference", "warn": 0.01, "target": {"window": "2d", "every": "1d"}},
        "adaptive_coverage": {"baseline": None, "params": {"promise": 0.9, "windows": 5}, "critical": 20},
        "set_coverage": {"baseline": "reference", "params": {"promise": 0.9}, "warn": 0.02, "critical": 0.1},
    }
    return [
        {**shared, "segments": ["all", "sex"], "monitor": name, "measure": f"uncertainty.{name}", **more} for name, more in watched.items()
    ]


def performance(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Every other measure of labelled rows, without a baseline and against the reference or windows of the stream."""
    watched: dict[str, dict[str, Any]] = {
        "f1": {"params": {"average": "weighted"}, "baseline": "reference"},
        "recall": {"baseline": "previous", "warn": 0.1},
        "specificity": {"params": {"class": 0}, "warn": {"below": 0.7}},
        "fpr": {"baseline": "reference", "warn": 0.05},
        "fnr": {"warn": {"above": 0.4}},
        "fbeta": {"params": {"beta": 2}, "baseline": {"prior": "2d"}},
        "balanced_accuracy": {"baseline": "reference", "target": {"window": "2d", "every": "1d"}},
        "mcc": {"baseline": "previous"},
        "kappa": {"min_label_coverage": 0.9},
        "value": {"params": {"fp": 5, "fn": 20, "tp": -1}, "baseline": "reference", "warn": 0.5},
        "gini": {"baseline": "reference", "warn": 0.1},
        "pr_auc": {"baseline": "previous", "warn": 0.1},
        "lift_at_k": {"params": {"share": 0.2}, "baseline": {"prior": "2d"}},
        "precision": {"params": {"threshold": 0.7}, "baseline": "previous", "target": {"window": "5d"}},
        "log_loss": {"baseline": "reference", "warn": 0.02},
        "brier": {"baseline": "previous", "target": {"window": "5d"}},
    }
    weighted = {
        "monitor": "f1-weighted",
        "measure": "performance.f1",
        "params": {"weighted": True, "average": "macro"},
        "warn": {"below": 0.7},
    }
    corrected = {
        "monitor": "corrected",
        "measure": "performance.delay_corrected",
        "params": {"of": "performance.accuracy", "learn": 10},
        "baseline": "reference",
        "warn": 0.1,
    }
    found = [{**shared, "monitor": f"performance-{name}", "measure": f"performance.{name}", **more} for name, more in watched.items()]
    return [*found, *({**shared, **one, "segments": ["all"]} for one in (weighted, corrected))]


def measures(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """Every other column measure, each against the reference and some against windows of the stream, of columns that suit it and one that does not."""
    numbers, texts = ["age", "hours", "gain", "@score", "@attribution:hours"], ["education", "occupation", "@prediction", "@caller"]
    watched: dict[str, dict[str, Any]] = {
        "quality.invalid_rate": {"columns": ["@latency_ms", "@status", "note"], "baseline": "previous"},
        "quality.out_of_range_rate": {"columns": [*numbers, "sex"]},
        "quality.unseen_category_rate": {"columns": ["@caller", "education"], "baseline": "reference"},
        "quality.constant": {"columns": ["gain", "sex"], "target": {"window": "1h"}, "segments": ["all"], "min_samples": 3},
        "quality.distinct": {"columns": [*texts, "age"]},
        "quality.new_categories": {"columns": ["@caller", "occupation"]},
        "drift.kl": {"columns": [*numbers, *texts]},
        "drift.total_variation": {"columns": [*numbers, *texts, "@label"]},
        "drift.linf": {"columns": [*numbers, *texts], "baseline": {"prior": "2d"}},
        "drift.chi2": {"columns": [*numbers, *texts]},
        "drift.ks": {"columns": [*numbers, "sex"]},
        "drift.wasserstein": {"columns": numbers, "baseline": "previous", "target": {"window": "2d", "every": "1d"}},
        "drift.mean_shift": {"columns": numbers, "critical": 0.3},
        "drift.variance_ratio": {"columns": numbers, "warn": 1.5},
        "drift.quantile_shift": {"columns": numbers, "params": {"q": 0.75}},
        "drift.tail_share": {"columns": numbers, "warn": 0.05},
    }
    return [
        {**shared, "segments": ["all", "education"], "monitor": measure, "measure": measure, **more} for measure, more in watched.items()
    ]


def requests(frame: pd.DataFrame, size: int = 700) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Requests with the people in the order of the frame; in every other request the labels come before the predictions."""
    for place, first in enumerate(range(0, len(frame), size)):
        rows = frame.iloc[first : first + size]
        both = [("predictions", _predictions(rows)), ("labels", _labels(rows))]
        yield from both if place % 2 else reversed(both)


def _predictions(rows: pd.DataFrame) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = records(rows[[name for name in FEATURES if name in rows]])
    ids, times, predictions, scores = (rows[name].tolist() for name in ("prediction_id", "ts", "prediction", "score"))
    return [
        {"prediction_id": key, "model": MODEL, "ts": ts.isoformat(), "features": values, "prediction": prediction, "score": score, **more}
        for key, ts, values, prediction, score, more in zip(ids, times, features, predictions, scores, fields(rows), strict=True)
    ]


def _labels(rows: pd.DataFrame) -> list[dict[str, Any]]:
    known = rows[rows["label"].notna()]
    columns = (known[name].tolist() for name in ("prediction_id", "label_ts", "label", "weight"))
    return [
        {"prediction_id": key, "model": MODEL, "ts": ts.isoformat(), "label": int(label), "weight": weight}
        for key, ts, label, weight in zip(*columns, strict=True)
    ]
