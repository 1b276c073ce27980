"""Two weeks as a disordered stream: the readings are those of the ordered run, and of a batch job over the distinct events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.acceptance import watch
from tests.acceptance.agree import differences
from tests.acceptance.storm import Storm, write
from tests.acceptance.world import RARELY, World
from tests.oracle.compare import compare
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow

DAYS = 14
SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s", **RARELY}


def test_a_disordered_stream_reads_as_the_quiet_one(
    observed: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World], tmp_path: Path
) -> None:
    """Shuffled, duplicated, late, early, corrected, retracted and divided anywhere: the readings of both models agree, and equal the oracle's."""
    storms = {pair: _storm(pair) for pair in observed}
    wild = {pair: replace(pair, model=f"{pair.model}-storm") for pair in observed}
    with world(SOON) as place, Client(place.url) as client:
        for pair, (storm, _) in storms.items():
            watch.define(client, pair)
            watch.define(client, wild[pair])
            client.apply(yaml.safe_dump([{"monitor": "copies", "model": wild[pair].model, "measure": "quality.duplicate_rate"}]))
            for number, (topic, rows) in enumerate(storm.requests):
                if number == len(storm.requests) // 2:
                    _rebuild(client, wild[pair].model)  # while events go on to come
                sent = client.predictions(rows) if topic == "predictions" else client.labels(rows)
                assert (len(rows), 0) == (sent.accepted, sent.rejected)
            watch.replay(client, pair, write(storm.truth, tmp_path / "truth.parquet"))
            client.labels([row | {"model": pair.model} for row in storm.orphans])
        status = client.wait(900)
        assert status["problems"] == []
        for pair, (_, wanted) in storms.items():
            found = watch.readings(client, wild[pair])
            assert client.rebuilding(wild[pair].model)["state"] == "done"
            assert differences(watch.readings(client, pair), found)[:20] == []
            assert compare(wanted, found)[:20] == []
            copies = client.readings(model=wild[pair].model, monitor="copies", limit=1_000)
            assert [
                (one["prediction_id"], one["loss"]) for one in islice(client.events(wild[pair].model, order="worst", limit=30), 50)
            ] == _worst(storms[pair][0].truth)
            assert {item["window_start"]: (item["n_target"], item["value"]) for item in copies} == _copies(storms[pair][0])


def _worst(truth: pd.DataFrame) -> list[tuple[str, float]]:
    """The ids of the fifty labelled events with the greatest loss, and their losses."""
    losses = truth.assign(loss=(truth["prediction"] - truth["label"]).abs()).dropna(subset=["loss"])
    worst = losses.sort_values(["loss", "ts", "prediction_id"], ascending=False).head(50)
    return list(zip(worst["prediction_id"], worst["loss"], strict=True))


def _copies(storm: Storm) -> dict[str, tuple[int, object]]:
    """By day, how many predictions were sent with a time in it, and which part of them had been sent before."""
    sent = pd.Series([row["ts"] for topic, rows in storm.requests if topic == "predictions" for row in rows])
    came = pd.to_datetime(sent, unit="ms", utc=True).dt.floor("D").value_counts()
    counted = storm.truth["ts"].dt.floor("D").value_counts().sort_index()
    days = pd.date_range(counted.index[0], counted.index[-1])
    every = [(day, int(came.get(day, 0)), int(counted.get(day, 0))) for day in days]
    return {day.strftime("%Y-%m-%dT%H:%M:%SZ"): (n, pytest.approx((n - distinct) / n, abs=1e-12)) for day, n, distinct in every}


def _rebuild(client: Client, model: str) -> None:
    """Request a rebuild once something of the model is written: before, there is nothing to make again, and the request changes nothing."""
    until = time.monotonic() + 300
    while client.rebuild(model)["state"] == "none":
        assert time.monotonic() < until, f"nothing of {model} is written"
        time.sleep(0.2)


@cache
def _storm(pair: flights.Pair) -> tuple[Storm, pd.DataFrame]:
    """The stream for both worlds, and the readings that must result."""
    storm = Storm(pd.read_parquet(pair.stream), f"{pair.model}-storm", days=DAYS, seed=7)
    return storm, watch.ruler(pair, storm.truth, storm.orphans)
