"""One id in two partitions, as from a producer with another partitioner: it counts once, and the first by the log's time counts."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.acceptance import census
from tests.acceptance.direct import Direct
from tests.acceptance.sending import Rows
from tests.acceptance.world import PARTITIONS, RARELY, Cluster, Servers
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s", **RARELY}
PEOPLE, TWICE = 3_000, 300


def test_an_id_in_two_partitions_counts_once_and_the_first_in_the_log_wins(servers: Servers, tmp_path: Path) -> None:
    """With the same content, other content or another time, while one of two ingest processes is stopped, so that late copies are read first."""
    reference, stream = census.people(4_000, 1), census.people(PEOPLE, 2)
    sink = BytesIO()
    reference.to_parquet(sink, index=False)
    with Cluster(tmp_path, servers, SOON) as place, Client(place.url) as client:
        client.reference(census.MODEL, sink.getvalue(), **census.OPTIONS)
        client.apply(yaml.safe_dump(census.few()))
        _shared(place)
        place.processes["ingest-1"].freeze()
        try:
            _produce(Direct(servers), stream)
            assert 0 < _settled(place) < PEOPLE + TWICE
        finally:
            place.processes["ingest-1"].thaw()
        status = client.wait(600)
        assert status["problems"] == []
        assert status["evaluate"]["repaired"] > 0
        counts, (model,) = place.counts(census.MODEL), list(client.models())
        found = [item for one in census.few() for item in client.readings(model=census.MODEL, monitor=one["monitor"], limit=10_000)]
    assert counts == {"rows": PEOPLE + TWICE, "places": PEOPLE + TWICE, "ids": PEOPLE, "labels_twice": 0}
    assert model["predictions"] == PEOPLE
    wanted = expected(reference, stream, Spec(monitors=census.few(), **census.OPTIONS))
    assert compare(wanted, found)[:20] == []


def _produce(direct: Direct, stream: pd.DataFrame) -> None:
    """Send everybody once, in any partition, and then some of them again in the next partition, a third unchanged and the rest changed."""
    events: dict[str, Rows] = {"predictions": [], "labels": []}
    for topic, rows in census.requests(stream, len(stream)):
        events[topic] += rows
    for partition in range(PARTITIONS):
        direct.send("predictions", events["predictions"][partition::PARTITIONS], partition)
        direct.send("labels", events["labels"][partition::PARTITIONS], partition)
    time.sleep(0.05)  # the brokers' time decides, in whole milliseconds
    for partition in range(PARTITIONS):
        again = [_again(place, row) for place, row in list(enumerate(events["predictions"][:TWICE]))[partition::PARTITIONS]]
        direct.send("predictions", again, (partition + 1) % PARTITIONS)
        older = [
            {**row, "label": 1 - row["label"], "ts": "2024-03-01T00:00:00Z"} for row in events["labels"][:TWICE][partition::PARTITIONS]
        ]
        direct.send("labels", older, (partition + 1) % PARTITIONS)


def _again(place: int, row: dict[str, Any]) -> dict[str, Any]:
    """The row again: the same, or with other content, or with other content on another day."""
    other = {"features": {"age": 17, "sex": "x"}, "prediction": 1 - row["prediction"], "score": 0.5}
    return [row, row | other, row | other | {"ts": "2024-03-11T12:00:00Z"}][place % 3]


def _shared(place: Cluster) -> None:
    """Wait until each of the two ingest processes has its half of the partitions of both topics."""
    both, until = [place.processes[name] for name in ("ingest-1", "ingest-2")], time.monotonic() + 300
    while [process.metrics()["watchkeeper_ingest_partitions"] for process in both] != [PARTITIONS, PARTITIONS]:
        assert time.monotonic() < until, "the partitions were not shared"
        time.sleep(0.1)


def _settled(place: Cluster) -> int:
    """How many rows the running process has written, once it has stopped writing."""
    written, since, until = 0, time.monotonic(), time.monotonic() + 300
    while time.monotonic() < until and (not written or time.monotonic() - since < 2):
        if (now := place.counts(census.MODEL)["rows"]) != written:
            written, since = now, time.monotonic()
        time.sleep(0.1)
    return written
