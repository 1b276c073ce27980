"""A year of two models with drift by season, a storm in July, an outage and thin segments: contracts, monitors, readings, episodes."""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment
from core.baseline.reference import Reference
from core.contract import Column, Contract, Dimension, Kind, Task
from core.episode import Delivery, DeliveryState, Episode, Level, State
from core.error import ConfigError
from core.measure import Family, Subject
from core.monitor import Monitor, Severity
from core.reading import Reading, Verdict
from core.segment import ALL
from dashboard.ports import LabelledRows, ScoreBins
from detectors.catalogue import MEASURES

START = moment.parse("2013-01-01T00:00:00Z")
DAYS = 365
STORM = range(188, 196)  # in July
OUTAGE = range(258, 263)  # no events at all
CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO")
ORIGINS = ("EWR", "JFK", "LGA")
SHARES = {ALL: 1.0, "origin=EWR": 0.36, "origin=JFK": 0.33, "origin=LGA": 0.31} | {
    f"carrier={carrier}": share / 338
    for carrier, share in zip(CARRIERS, (58, 54, 54, 48, 33, 26, 20, 18, 12, 5, 3, 2.4, 2, 1.6, 0.6, 0.4), strict=True)
}
NUMBERS = ("distance", "temp", "wind_speed", "visib", "hour")
TEXTS = ("carrier", "origin", "dest")
CRITICAL_PSI, WARN_PSI = 0.25, 0.1

_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("monitor", "model", "version", "measure", "params", "baseline", "column", "segment")),
        *((name, pa.int64()) for name in ("window_start", "window_end")),
        *((name, pa.float64()) for name in ("value", "lower", "upper", "baseline_value")),
        *((name, pa.int64()) for name in ("n_target", "n_baseline")),
        ("n_effective", pa.float64()),
        *((name, pa.string()) for name in ("threshold", "verdict", "reason")),
        ("revision", pa.int64()),
        ("evidence", pa.string()),
        ("monitor_version", pa.int64()),
    ]
)


def contract(model: str, task: Task) -> Contract:
    """The contract of a flight model: five numbers, three texts, two dimensions."""
    random = np.random.default_rng(7)
    samples = {
        "distance": random.gamma(2.2, 470, 4000).round(),
        "temp": random.normal(36, 11, 4000).round(1),
        "wind_speed": (random.gamma(3, 3.6, 4000) / 1.15078).round() * 1.15078,
        "visib": np.minimum(10, random.gamma(20, 0.6, 4000).round()),
        "hour": random.integers(5, 23, 4000).astype(float),
    }
    features = [_numeric(name, samples[name]) for name in NUMBERS]
    values = {"carrier": CARRIERS, "origin": ORIGINS, "dest": tuple(f"D{place:02}" for place in range(40))}
    features += [Column(name=name, kind=Kind.CATEGORICAL, categories=values[name], others=("ZZZ",)) for name in TEXTS]
    if task is Task.BINARY:
        outputs: tuple[Column, ...] = (
            Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1")),
            _numeric("@score", random.beta(2, 6, 4000)),
        )
    else:
        outputs = (_numeric("@prediction", random.normal(8, 20, 4000).round(1)),)
    return Contract(
        model=model,
        version=1,
        task=task,
        features=tuple(features),
        outputs=outputs,
        dimensions=(Dimension(name="origin", values=ORIGINS), Dimension(name="carrier", values=CARRIERS)),
        classes=("0", "1") if task is Task.BINARY else (),
        scored=task is Task.BINARY,
    )


def _numeric(name: str, sample: Any) -> Column:
    cuts = np.quantile(sample, np.arange(1, 50) / 50, method="inverted_cdf")
    values, counts = np.unique(sample, return_counts=True)
    atoms = values[counts * 50 >= len(sample)]
    edges = np.unique(np.concatenate([cuts, atoms, np.nextafter(atoms, np.inf)]))
    tails = np.quantile(sample, [0.01, 0.99])
    return Column(name=name, kind=Kind.NUMERIC, edges=tuple(edges.tolist()), tails=(float(tails[0]), float(tails[1])))


def monitors(model: str, task: Task) -> list[Monitor]:
    """What is watched: performance with and without limits, drift twice, null rates."""
    every = ("all", "origin", "carrier")
    shared: dict[str, Any] = {"model": model, "segments": every}
    if task is Task.BINARY:
        performance = [
            Monitor(
                name="accuracy",
                measure="performance.accuracy",
                baseline=Reference(),
                warn=0.03,
                critical=0.08,
                severity=Severity.PAGE,
                **shared,
            ),
            Monitor(name="default-performance.f1", measure="performance.f1", severity=Severity.REPORT, **shared),
            Monitor(name="auc", measure="performance.roc_auc", warn={"below": 0.7}, critical={"below": 0.62}, **shared),
        ]
    else:
        performance = [
            Monitor(name="mae", measure="performance.mae", baseline=Reference(), warn=3, critical=8, **shared),
            Monitor(name="rmse", measure="performance.rmse", **shared),
        ]
    return [
        *performance,
        Monitor(name="input-drift", measure="drift.psi", baseline=Reference(), warn=WARN_PSI, critical=CRITICAL_PSI, **shared),
        Monitor(name="default-drift.psi", measure="drift.psi", baseline=Reference(), severity=Severity.REPORT, **shared),
        Monitor(name="default-drift.js", measure="drift.js", baseline=Reference(), severity=Severity.REPORT, **shared),
        Monitor(name="nulls", measure="quality.null_rate", warn=0.05, critical=0.2, **shared),
    ]


def traffic() -> dict[str, Any]:
    random = np.random.default_rng(1)
    day = np.arange(DAYS)
    whole = 900 + 60 * np.sin(day / 58) - 130 * (day % 7 == 5) + random.normal(0, 18, DAYS)
    whole[OUTAGE.start : OUTAGE.stop] = 0
    return {
        segment: random.poisson(np.maximum(whole * share, 0)) if segment != ALL else whole.round().astype(int)
        for segment, share in SHARES.items()
    }


def drift(column: str, day: int) -> float:
    """How far a column is from January: weather by season, the rest hardly."""
    if column == "dest":  # new routes: it moves and stays
        return float(0.4 / (1 + np.exp(-(day - 300) / 12)))
    season = (1 - np.cos(2 * np.pi * day / DAYS)) / 2
    size = {"temp": 0.9, "wind_speed": 0.16, "visib": 0.1, "hour": 0.03, "carrier": 0.05, "@score": 0.14}.get(column, 0.02)
    return float(size * season * (2.0 if day in STORM else 1.0))


def _values(monitor: Monitor, column: str, random: np.random.Generator, n: Any) -> Any:
    """A year of one measure, noisier where there are fewer rows."""
    day = np.arange(DAYS)
    storm = np.isin(day, list(STORM))
    noise = random.normal(0, 1, DAYS) / np.sqrt(np.maximum(n, 1))
    match monitor.measure:
        case "performance.accuracy":
            return np.clip(0.83 - 0.025 * np.sin(day / 58) - 0.11 * storm + 0.38 * noise, 0, 1)
        case "performance.estimated_accuracy":
            return np.clip(0.826 - 0.022 * np.sin(day / 58) + 0.2 * noise, 0, 1)
        case "performance.f1":
            return np.clip(0.46 - 0.03 * np.sin(day / 58) - 0.1 * storm + 0.9 * noise, 0, 1)
        case "performance.roc_auc":
            return np.clip(0.76 - 0.02 * np.sin(day / 58) - 0.1 * storm + 0.5 * noise, 0, 1)
        case "performance.mae":
            return np.maximum(17 + 2.4 * np.sin(day / 58) + 11 * storm + 22 * noise, 0)
        case "performance.rmse":
            return np.maximum(29 + 5 * np.sin(day / 58) + 16 * storm + 40 * noise, 0)
        case "quality.null_rate":
            return np.clip((0.31 * storm if column == "temp" else 0) + 0.004 + 0.02 * np.abs(noise), 0, 1)
    if MEASURES[monitor.measure].family is Family.QUALITY:
        return np.clip(0.002 + 0.01 * np.abs(noise), 0, 1)
    psi = np.array([drift(column, place) for place in range(DAYS)]) ** 1.3 + 9 / np.maximum(n, 30) * random.gamma(4, 0.25, DAYS)
    return psi if monitor.measure == "drift.psi" else np.sqrt(psi / 8 / np.log(2))


def readings(of: Contract, monitor: Monitor, days: dict[str, Any]) -> pa.Table:
    """Every reading of a monitor, as columns."""
    watched = MEASURES[monitor.measure].subject is Subject.COLUMN
    columns = [*NUMBERS, *TEXTS, "@prediction", *(["@score"] if of.scored else [])] if watched else [""]
    labelled = MEASURES[monitor.measure].family is Family.PERFORMANCE
    blocks = []
    for place, (column, segment) in enumerate(product(columns, SHARES)):
        random = np.random.default_rng([place, len(monitor.name), len(of.model)])
        n = days[segment].astype(int)
        n = (n * 0.97).astype(int) if labelled else n
        value = _values(monitor, column, random, n)
        base = {"performance.accuracy": 0.835, "performance.mae": 16.2}.get(monitor.measure) if monitor.baseline and labelled else None
        blocks.append(_block(of.model, monitor, column, segment, n, value, base))
    return pa.concat_tables(blocks)


@cache
def computed(of: Contract, measure: str, window: str) -> pa.Table:
    """What `POST /v1/evaluate` would answer, for all columns and segments, with evidence. All windows are days; ConfigError for others."""
    if window != "1d":
        raise ConfigError(f"there is no window of {window}", remedy="the year of the twin has days")
    monitor = Monitor(
        name="on demand", model=of.model, measure=measure, segments=("all", "origin", "carrier"), baseline=Reference(), min_samples=50
    )
    table = readings(of, monitor, traffic())
    evidence = [json.dumps(_evidence(value)) for value in table["value"].to_pylist()]
    effective = pc.divide(pc.cast(table["n_target"], pa.float64()), 3.5)
    for name, values in (("evidence", pa.array(evidence)), ("n_effective", effective)):
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


def labelled(n: int, *, storm: bool) -> LabelledRows:
    """Labelled rows of a binary model that takes a score of 0.5 for a yes; in the storm it knows less."""
    random = np.random.default_rng(n)
    own = random.random(n) < 0.25
    score = np.clip(np.where(own, random.beta(4, 4 if storm else 3, n), random.beta(2, 5, n)), 0, 1)
    edges = np.linspace(0.02, 0.98, 49)
    place = np.searchsorted(edges, score, side="right")
    counts = [np.bincount(place, weight, 50) for weight in (own, ~own, score)]
    said = np.where(score >= 0.5, 1, 0)
    cells = {(str(i), str(j)): int(((said == i) & (own == j)).sum()) for i in (0, 1) for j in (0, 1)}
    own_rows, others = (side.astype(int).tolist() for side in counts[:2])
    bins = ScoreBins(edges.tolist(), own_rows, others, counts[2].tolist())
    return LabelledRows(n, cells, {"1": bins})


def _evidence(value: float | None) -> dict[str, Any]:
    """A p-value that falls as the value grows, and two bins that make the value."""
    if value is None:
        return {}
    parts = [("[-inf,10)", 0.1, 0.2, 0.6), ("null", 0.3, 0.1, 0.4)]
    made = [{"bin": name, "target": target, "baseline": baseline, "share": share} for name, target, baseline, share in parts]
    return {"p": float(np.exp(-12 * value)), "phi": 3.5, "excess": value - 0.02, "contributions": made}


def _block(model: str, monitor: Monitor, column: str, segment: str, n: Any, value: Any, base: float | None) -> pa.Table:
    starts = START + np.arange(DAYS) * moment.DAY
    worse = MEASURES[monitor.measure].better
    gap = value if base is None else worse * (base - value)
    reached = []
    for limit in (monitor.critical, monitor.warn):
        if limit is None:
            reached.append(np.zeros(DAYS, bool))
        elif isinstance(limit, dict):
            reached.append(value <= limit["below"])
        else:
            reached.append(gap >= limit)
    verdict = np.select(
        [n == 0, n < monitor.min_samples, *reached], [Verdict.NODATA, Verdict.INSUFFICIENT, Verdict.CRITICAL, Verdict.WARN], Verdict.OK
    )
    reasons = [
        None if rows >= monitor.min_samples else "no rows" if rows == 0 else f"too few samples ({rows} < {monitor.min_samples})"
        for rows in n.tolist()
    ]

    def same(text: str | None, kind: Any = None) -> Any:
        return pa.array([text] * DAYS, kind or pa.string())

    nulls = pa.nulls(DAYS, pa.float64())
    columns = {
        "monitor": same(monitor.name), "model": same(model), "version": same("all"), "measure": same(monitor.measure), "params": same("{}"),
        "baseline": same(monitor.baseline.brief if monitor.baseline else None), "column": same(column), "segment": same(segment),
        "window_start": pa.array(starts), "window_end": pa.array(starts + moment.DAY),
        "value": pa.array(value, mask=n == 0), "lower": nulls, "upper": nulls,
        "baseline_value": nulls if base is None else pa.array([base] * DAYS, pa.float64()),
        "n_target": pa.array(n, pa.int64()),
        "n_baseline": pa.array([int(27_004 * SHARES[segment]) if monitor.baseline else None] * DAYS, pa.int64()),
        "n_effective": nulls, "threshold": same(json.dumps(monitor.threshold)), "verdict": pa.array([str(one) for one in verdict], pa.string()),
        "reason": pa.array(reasons, pa.string()), "revision": pa.array([1] * DAYS, pa.int64()), "evidence": same("{}"), "monitor_version": pa.array([1] * DAYS, pa.int64()),
    }  # fmt: skip
    return pa.table(columns, schema=_SCHEMA)


def episodes(table: pa.Table, known: dict[str, list[Monitor]]) -> list[Episode]:
    """Runs of breaching windows that hold for two windows or more become episodes."""
    bad = table.filter(pc.is_in(table["verdict"], pa.array(["warn", "critical"]))).to_pylist()
    rules = {(model, monitor.name): monitor for model, several in known.items() for monitor in several}
    runs: list[list[dict[str, Any]]] = []
    for row in bad:
        key = [row[name] for name in ("model", "monitor", "column", "segment")]
        last = runs[-1][-1] if runs else None
        if (
            last
            and key == [last[name] for name in ("model", "monitor", "column", "segment")]
            and row["window_start"] - last["window_start"] <= 8 * moment.DAY
        ):
            runs[-1].append(row)
        else:
            runs.append([row])
    runs = [run for run in runs if len(run) >= 2]
    return [_episode(place, run, rules[run[0]["model"], run[0]["monitor"]]) for place, run in enumerate(runs)]


def _episode(place: int, run: list[dict[str, Any]], rule: Monitor) -> Episode:
    worst = max(run, key=lambda row: (row["verdict"] == "critical", -row["window_start"]))
    over = run[-1]["window_start"] < START + (DAYS - 10) * moment.DAY
    reading = Reading(
        **{name: value for name, value in worst.items() if name not in {"params", "threshold", "evidence"}}, threshold=rule.threshold
    )
    limit = rule.critical if worst["verdict"] == "critical" else rule.warn
    what = f"{MEASURES[rule.measure].title}{' of ' + reading.column if reading.column else ''}{'' if reading.segment == ALL else ' in ' + reading.segment}"
    fired = run[0]["window_end"]
    id_ = f"0198{place:04x}-0000-7000-8000-000000000000"
    when = moment.text(worst["window_start"])[:10]
    delivery = Delivery(
        id=f"msg_{place}",
        destination="oncall",
        episode=id_,
        type="episode.fired",
        body="{}",
        created=fired,
        due=fired,
        state=DeliveryState.DELIVERED,
        attempts=1,
        last_status=204,
    )
    return Episode(
        id=id_, model=reading.model, monitor=rule.name, measure=rule.measure, column=reading.column, segment=reading.segment,
        state=State.RESOLVED if over else State.FIRING, severity=rule.severity, level=Level.CRITICAL if worst["verdict"] == "critical" else Level.WARN,
        started_at=run[0]["window_start"], fired_at=fired, ended_at=run[-1]["window_end"] + moment.DAY if over else None,
        reason=f"{what} is {worst['value']:.3g}, {worst['verdict']} at {json.dumps(limit)}, over {when} (n {worst['n_target']:,})",
        window_start=worst["window_start"], window_end=worst["window_end"], value=worst["value"], threshold=rule.threshold,
        definition=rule, reading=reading, deliveries=(delivery,) if rule.severity is not Severity.REPORT else (),
    )  # fmt: skip
