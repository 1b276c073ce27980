"""January to March as a disordered stream: the readings are those of the ordered run, and of a batch job over the distinct events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance import watch
from tests.acceptance.agree import differences
from tests.acceptance.storm import Storm, write
from tests.acceptance.world import World
from tests.oracle.compare import compare
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow

DAYS = 60
SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s"}


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
            for number, (topic, rows) in enumerate(storm.requests):
                if number == len(storm.requests) // 2:
                    client.rebuild(wild[pair].model)  # while events go on to come
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


@cache
def _storm(pair: flights.Pair) -> tuple[Storm, pd.DataFrame]:
    """The stream for both worlds, and the readings that must result."""
    storm = Storm(pd.read_parquet(pair.stream), f"{pair.model}-storm", days=DAYS, seed=7)
    return storm, watch.ruler(pair, storm.truth, storm.orphans)
