"""From an event to the receiver: an episode's webhooks are signed and come in order, once each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.acceptance.world import World
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s"}
MODEL, ROWS = "pump", 60


def test_an_episode_knocks_when_it_fires_and_when_it_is_over(world: Callable[[Mapping[str, str]], World]) -> None:
    """One hour of missing values among good ones gives two webhooks of one episode with valid signatures: fired, and resolved."""
    told: list[dict[str, Any]] = []
    sink = BytesIO()
    pd.DataFrame({"prediction_id": map(str, range(300)), "x": [float(row) for row in range(300)], "prediction": 0.5}).to_parquet(sink)
    hour = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    with Receiver(told.append) as receiver, world(SOON) as place, Client(place.url) as client:
        client.reference(MODEL, sink.getvalue(), task="regression", features=["x"])
        client.apply(yaml.safe_dump(_definitions(receiver)))
        for late, share in enumerate((0.0, 0.5, 0.0, 0.0)):
            sent = client.predictions(list(_events(hour + timedelta(hours=late), share)))
            assert (sent.accepted, sent.rejected) == (ROWS, 0)
        client.wait(600)
        until = time.monotonic() + 300
        while not (sent_all := [episode["deliveries"] for episode in client.episodes(model=MODEL)]) or any(
            delivery["state"] != "delivered" for deliveries in sent_all for delivery in deliveries
        ):
            assert time.monotonic() < until, sent_all
            time.sleep(0.1)
    assert [(one["type"], one["data"]["window_start"]) for one in told] == [
        ("episode.fired", _text(hour + timedelta(hours=1))),
        ("episode.resolved", _text(hour + timedelta(hours=1))),
    ]
    assert (len({one["data"]["id"] for one in told}), receiver.forged) == (1, 0)


def _definitions(receiver: Receiver) -> list[dict[str, Any]]:
    watched = {"measure": "quality.null_rate", "columns": ["x"], "target": {"window": "1h"}, "warn": 0.2, "min_samples": 1}
    return [
        {"destination": "door", "kind": "webhook", "url": receiver.url, "secret": receiver.secret},
        {"monitor": "missing", "model": MODEL, **watched},
    ]


def _events(hour: datetime, share: float) -> Iterator[dict[str, Any]]:
    for row in range(ROWS):
        ts = hour + timedelta(seconds=row)
        x = None if row < share * ROWS else float(row)
        yield {"prediction_id": f"{hour:%H}-{row}", "model": MODEL, "ts": ts.isoformat(), "features": {"x": x}, "prediction": 0.5}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
