"""SIGKILL at random moments while a client sends and retries: nothing is lost, nothing is doubled, the readings agree."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance import watch
from tests.acceptance.agree import differences
from tests.acceptance.sending import http, sending
from tests.acceptance.storm import Storm, write
from tests.acceptance.world import World
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("WATCHKEEPER_KILLS", "5"))
DAYS = 14
SETTINGS = {"WATCHKEEPER_INGEST__SILENCE": "1s", "WATCHKEEPER_INGEST__BATCH__WAIT_MS": "20"}


def test_kills_at_random_moments_lose_and_double_nothing(
    observed: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World], tmp_path: Path
) -> None:
    """After the restart, at quiet, the readings are those of a run without kills, raw events hold each id once, and the panes equal raw events."""
    rng, pair = random.Random(11), observed[0]
    storm = Storm(pd.read_parquet(pair.stream), f"{pair.model}-killed", days=DAYS, seed=3)
    killed = replace(pair, model=f"{pair.model}-killed")
    with world(SETTINGS) as place:
        with Client(place.url) as client:
            watch.define(client, pair)
            watch.define(client, killed)
            victims = [name for _ in range(KILLS) for name in rng.sample(place.names, len(place.names))][: max(KILLS, len(place.names))]
            with http(place.url) as deliver, sending(deliver, storm.requests):
                for victim in victims:
                    time.sleep(rng.choice([rng.uniform(0.05, 0.4), rng.uniform(0.4, 2.0)]))
                    place.kill(victim)
            watch.replay(client, pair, write(storm.truth, tmp_path / "truth.parquet"))
            client.labels([row | {"model": pair.model} for row in storm.orphans])
            status = client.wait(900)
            assert status["problems"] == []
            assert differences(watch.readings(client, pair), watch.readings(client, killed))[:20] == []
            row = next(row for row in client.models() if row["model"] == killed.model)
        counts = place.counts(killed.model)
    size = len(storm.truth)
    assert (size, size) == (row["predictions"], storm.truth["prediction_id"].nunique())
    assert {"rows": size, "places": size, "ids": size, "labels_twice": 0} == counts
