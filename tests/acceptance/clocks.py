"""Flights of the weeks in which the clocks of New York change, with a gap between, and monitors of all windows and baselines for each kind of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tests.acceptance import watch
from tests.acceptance.records import records
from tests.oracle.spans import expected as of_spans
from tests.oracle.spec import Spec
from watchkeeper.client import Client
from watchkeeper.demo import flights

CHANGES = ("2013-03-10T07:00:00", "2013-11-03T06:00:00")  # 23 hours are in the first of these days, and 25 in the second
WEEKS = (("2013-02-04T05:00:00Z", "2013-03-18T04:00:00Z"), ("2013-09-30T04:00:00Z", "2013-11-11T05:00:00Z"))
PART = 5  # one of so many flights is sent
YORK = {"timezone": "America/New_York"}
WINDOWS: tuple[dict[str, str], ...] = (
    {"window": "1d"},
    {"window": "1d", "every": "12h"},
    {"window": "daily", **YORK},
    {"window": "weekly", "week_start": "sunday", **YORK},
    {"window": "monthly", **YORK},
    {"window": "quarterly", "offset": "2h", **YORK},
    {"window": "week_to_date", **YORK},
    {"window": "month_to_date", **YORK},
    {"window": "quarter_to_date", **YORK},
    {"window": "year_to_date", "offset": "3h", **YORK},
)
BASELINES: tuple[Any, ...] = (
    "reference",
    "previous",
    {"previous": 3},
    {"prior": "14d"},
    {"rolling": "10d"},
    "expanding",
    {"same_weekday": 2},
    {"same_period_last": "week"},
    {"from": "2013-02-06", "to": "2013-02-20"},
    {"version": "2"},
    {"role": "champion"},
)
# Of each kind of evidence one measure.
BINARY: dict[str, dict[str, Any]] = {
    "drift.psi": {"columns": ["dest"], "warn": 0.2},
    "drift.mean_shift": {"columns": ["temp"], "warn": 0.5},
    "drift.wasserstein": {"columns": ["temp"]},
    "quality.distinct": {"columns": ["dest"]},
    "quality.label_coverage": {},
    "quality.label_delay": {},
    "quality.volume": {"warn": 1.2},
    "performance.accuracy": {"warn": 0.05},
    "performance.kappa": {},
    "performance.log_loss": {"warn": 0.05},
    "performance.roc_auc": {},
    "performance.pr_auc": {},
    "fairness.demographic_parity_difference": {"attributes": ["origin"]},
    "fairness.equalized_odds_difference": {"attributes": ["origin"]},
    "uncertainty.confidence": {"warn": 0.01},
    "uncertainty.ece": {},
}
REGRESSION: dict[str, dict[str, Any]] = {
    "performance.mae": {"warn": 2},
    "fairness.mean_prediction_gap": {"attributes": ["origin"]},
    "fairness.error_gap": {"attributes": ["origin"]},
}


def monitors(pair: flights.Pair, one_of: int) -> list[dict[str, Any]]:
    """For each measure every window and every baseline, which turn by one from measure to measure, so that all pairs of the two are met. Of these monitors one of so many: of three each window and each baseline is still there."""
    measures = BINARY if pair.task == "binary" else REGRESSION
    return [
        {"model": pair.model, "min_samples": 20, "monitor": f"{measure}-{at}", "measure": measure, **more, **one}
        for turn, (measure, more) in enumerate(measures.items())
        for at, one in enumerate(_turned(turn))
        if (at + 2 * turn) % one_of == 0
        and (measure, one["baseline"]) != ("performance.pr_auc", "reference")  # of a reference it comes from score bins, within a bound
    ]


def _turned(turn: int) -> Iterator[dict[str, Any]]:
    """Each window with a baseline that fits it, and each baseline with a window: the day where its own does not fit."""
    left = list(BASELINES)
    for at, target in enumerate(WINDOWS):
        baseline = BASELINES[(at + turn) % len(BASELINES)]
        if _fits(target, baseline):
            left.remove(baseline)
            yield _monitor(target, baseline)
        else:
            yield _monitor(target, "previous")
    yield from (_monitor(WINDOWS[2], baseline) for baseline in left)


def _fits(target: Mapping[str, str], baseline: Any) -> bool:
    """Whether the baseline never overlaps the window, which may be longer than a week."""
    weeks = isinstance(baseline, dict) and baseline.keys() & {"prior", "same_weekday", "same_period_last"}
    return not weeks or target["window"] in {"1d", "daily", "weekly", "week_to_date"}


def _monitor(target: Mapping[str, str], baseline: Any) -> dict[str, Any]:
    of = {"version": "1"} if isinstance(baseline, dict) and baseline.keys() & {"version", "role"} else {}
    return {"target": dict(target), "baseline": baseline, **of}


def stream(pair: flights.Pair) -> pd.DataFrame:
    """A part of the flights of `WEEKS`, of two versions in two roles."""
    whole = pd.read_parquet(pair.stream)
    inside = np.logical_or.reduce([(whole["ts"] >= start) & (whole["ts"] < end) for start, end in WEEKS])
    held = whole[inside].iloc[::PART].reset_index(drop=True)
    draw = np.random.default_rng(12)
    return held.assign(
        version=np.where(draw.random(len(held)) < 0.4, "2", "1"), role=np.where(draw.random(len(held)) < 0.5, "champion", "challenger")
    )


@cache
def expected(pair: flights.Pair, one_of: int) -> pd.DataFrame:
    """The readings that these monitors must have of three windows about each change of the clocks."""
    spec = Spec(**watch.options(pair))
    return of_spans(pd.read_parquet(pair.reference), stream(pair), spec, monitors(pair, one_of), CHANGES)


def send(client: Client, pair: flights.Pair, one_of: int) -> None:
    """Give the model its reference and its monitors, and send the stream."""
    client.reference(pair.model, pair.reference.read_bytes(), **watch.options(pair))
    client.apply(yaml.safe_dump(monitors(pair, one_of)))
    rows, outputs = stream(pair), ["prediction", "score"] if pair.task == "binary" else ["prediction"]
    events = rows[["prediction_id", "version", "role", "ts", *outputs]].assign(model=pair.model)
    features = rows[list(flights.FEATURES)]
    labels = rows[rows["label"].notna()][["prediction_id", "label", "label_ts"]].rename(columns={"label_ts": "ts"}).assign(model=pair.model)
    client.predictions({**event, "features": given} for event, given in zip(records(events), records(features), strict=True))
    client.labels(records(labels))
