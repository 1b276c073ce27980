"""Months of flights of two models, sent over HTTP and to a cluster: every reading equals what pandas and scikit-learn compute from the file.

`WATCHKEEPER_YEAR_DAYS` (100) is how many days are sent over HTTP; 365 are all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance import watch
from tests.acceptance.storm import write
from tests.acceptance.world import RARELY, Cluster, Embedded, World
from tests.browser.tour import tour
from tests.oracle.compare import compare
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow


DAYS = {
    Embedded: int(os.environ.get("WATCHKEEPER_YEAR_DAYS", "100")),
    Cluster: 42,
}  # of the stream, which has 334; the evaluation is the same in both worlds, and six weeks have every kind of window, too, and a change of the clocks


def test_every_reading_of_the_year_is_what_a_batch_job_computes(
    pairs: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World], tmp_path: Path
) -> None:
    """Sample sizes exactly, values to 1e-9, and verdicts, for `all` and every segment, over months of two models; and the pages of the cluster lead from an episode to a single event."""
    with world(RARELY) as place, Client(place.url) as client:
        streams = {pair: _stream(pair, DAYS[type(place)]) for pair in pairs}
        for pair in pairs:
            watch.define(client, pair, every=True)
        for pair, stream in streams.items():
            watch.replay(client, pair, write(stream, tmp_path / "stream.parquet"))
        client.wait(1_500)
        assert client.status()["problems"] == []
        if isinstance(place, Cluster):
            tour(place.url, "cluster")
        for pair, stream in streams.items():
            assert compare(watch.ruler(pair, stream, every=True), watch.readings(client, pair, every=True))[:20] == []


def _stream(pair: flights.Pair, days: int) -> pd.DataFrame:
    """The first days of the stream."""
    stream = pd.read_parquet(pair.stream)
    first: pd.DataFrame = stream[stream["ts"] < stream["ts"].min() + pd.Timedelta(days=days)]
    return first
