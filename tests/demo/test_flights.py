"""The demo's files: what models and tests rely on."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from watchkeeper.demo.flights import FEATURES, Pair


@pytest.fixture(scope="module")
def delay(flights: tuple[Pair, Pair]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(flights[0].reference), pd.read_parquet(flights[0].stream)


@pytest.fixture(scope="module")
def arrival(flights: tuple[Pair, Pair]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(flights[1].reference), pd.read_parquet(flights[1].stream)


def test_january_is_the_reference_and_the_rest_the_stream(delay: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """All 336,776 flights, split by the month in New York, in order of time, under unique ids."""
    reference, stream = delay
    assert (len(reference), len(stream)) == (27_004, 309_772)
    local = [frame["ts"].dt.tz_convert("America/New_York").dt.month for frame in delay]
    assert set(local[0]) == {1}
    assert set(local[1]) == set(range(2, 13))
    assert all(frame["ts"].is_monotonic_increasing for frame in delay)
    assert pd.concat(delay)["prediction_id"].is_unique


def test_departures_are_in_utc_through_the_change_of_clocks(delay: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The first departure of a day, at 5 in New York, is at 10 in February and at 9 in July; `hour` stays local."""
    stream = delay[1]
    early = stream.loc[stream["hour"] == 5, "ts"]
    hours = {month: set(early[early.dt.month == month].dt.hour) for month in (2, 7)}
    assert hours == {2: {10}, 7: {9}}


def test_cancelled_flights_have_no_truth_and_the_others_after_landing(
    delay: tuple[pd.DataFrame, pd.DataFrame], arrival: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """8,255 flights never left, 1,175 more never arrived where they should; the truth comes at least 20 minutes after departure."""
    for frames, missing in ((delay, 8_255), (arrival, 9_430)):
        both = pd.concat(frames)
        assert int(both["label"].isna().sum()) == missing
        assert (both["label"].isna() == both["label_ts"].isna()).all()
        assert ((both["label_ts"] - both["ts"]).dropna() >= pd.Timedelta(minutes=20)).all()


def test_the_models_are_honest_and_worth_something(
    delay: tuple[pd.DataFrame, pd.DataFrame], arrival: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Both know more than nothing on January, out of fold, and less afterwards."""
    areas, errors = [], []
    for frame in delay:
        known = frame.dropna(subset=["label"])
        areas.append(float(roc_auc_score(known["label"].astype(int), known["score"])))
        assert ((frame["score"] >= 0.5).astype(int) == frame["prediction"]).all()
    for frame in arrival:
        known = frame.dropna(subset=["label"])
        errors.append(float(mean_absolute_error(known["label"], known["prediction"])))
    assert 0.65 < areas[1] < areas[0] < 0.8
    assert errors[0] < 22.0 < errors[1]


def test_the_weather_is_there(delay: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Every feature is a column, and hardly a flight is without its temperature."""
    for frame in delay:
        assert set(FEATURES) <= set(frame.columns)
        assert frame["temp"].isna().mean() < 0.01
