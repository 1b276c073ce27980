"""SIGKILL at random moments while a client sends and retries: nothing is lost, nothing is doubled, the readings agree."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage.facts.engine import Engine
from tests.acceptance import watch
from tests.acceptance.agree import differences
from tests.acceptance.storm import Storm, write
from watchkeeper.client import Client, ClientError, Sent, Unavailable
from watchkeeper.demo import flights
from watchkeeper.demo.server import Server

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("WATCHKEEPER_KILLS", "5"))
DAYS = 21
SETTINGS = {"WATCHKEEPER_INGEST__SILENCE": "1s", "WATCHKEEPER_INGEST__BATCH__WAIT_MS": "20"}

# Of the raw events how many rows and how many ids there are, and how many events the panes hold.
COUNTS = """
SELECT (SELECT count() FROM predictions WHERE model = {model:String}) AS rows,
    (SELECT uniqExact(prediction_id) FROM predictions WHERE model = {model:String}) AS ids,
    (SELECT count() - uniqExact(partition, position, place) FROM labels WHERE model = {model:String}) AS doubled
"""


class Mortal(Server):
    """A server that can be killed."""

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def test_kills_at_random_moments_lose_and_double_nothing(pairs: tuple[flights.Pair, ...], tmp_path: Path) -> None:
    """After restart and quiet the readings are those of a quiet run, raw holds each id once, and the panes equal raw."""
    rng, data = random.Random(11), tmp_path / "data"
    pair = pairs[0]
    storm = Storm(pd.read_parquet(pair.stream), f"{pair.model}-killed", days=DAYS, seed=3)
    killed = replace(pair, model=f"{pair.model}-killed")
    server = Mortal(data, environment=SETTINGS)
    with server, Client(server.url) as client:
        watch.define(client, pair)
        watch.define(client, killed)
        with _sending(server.url, storm) as sending:
            for _ in range(KILLS):
                time.sleep(rng.choice([rng.uniform(0.05, 0.4), rng.uniform(0.4, 2.0)]))
                server.kill()
                server.__enter__()
            sending.clear()
        watch.replay(client, pair, write(storm.truth, tmp_path / "truth.parquet"))
        status = client.wait(300)
        assert status["problems"] == []
        assert differences(watch.readings(client, pair), watch.readings(client, killed))[:20] == []
        row = next(row for row in client.models() if row["model"] == killed.model)
    size = len(storm.truth)
    assert (size, size) == (row["predictions"], storm.truth["prediction_id"].nunique())
    assert {"rows": size, "ids": size, "doubled": 0} == _counts(data, killed.model)


@contextmanager
def _sending(url: str, storm: Storm) -> Iterator[threading.Event]:
    """Send the storm's requests in a thread, in order, each until it is accepted; again from the beginning while the event is set."""
    again, faults = threading.Event(), list[Exception]()
    again.set()

    def send() -> None:
        with Client(url, patience=0.5) as client:
            while True:
                for topic, rows in storm.requests:
                    _accepted(client.predictions if topic == "predictions" else client.labels, rows)
                if not again.is_set():
                    return

    def sending() -> None:
        try:
            send()
        except (ClientError, AssertionError) as error:
            faults.append(error)

    thread = threading.Thread(target=sending)
    thread.start()
    try:
        yield again
    finally:
        again.clear()
        thread.join()
    assert faults == []


def _accepted(send: Callable[[list[dict[str, Any]]], Sent], rows: list[dict[str, Any]]) -> None:
    """Send until it is accepted; the client's own patience is short, so that it is there as soon as the server is."""
    until = time.monotonic() + 120
    while True:
        try:
            sent = send(rows)
        except Unavailable:
            assert time.monotonic() < until, "the server does not come back"
        else:
            assert (sent.accepted, sent.rejected) == (len(rows), 0)
            return


def _counts(data: Path, model: str) -> dict[str, int]:
    """What raw holds, read in this process once the server has ended."""
    engine = Engine(data / "facts")
    try:
        found: dict[str, int] = engine.query(COUNTS, {"model": model}).to_pylist()[0]
        return found
    finally:
        engine.close()
