"""The circle of a retraining, in both worlds: a model goes wrong, its hook asks once, a new version comes, and its windows show that it helps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyarrow.parquet as pq
import pytest
import yaml

from tests.acceptance.world import World
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s"}
MODEL, ROWS = "churn", 120
DEFINITIONS = """
- contract: churn
  task: binary
  columns: [{name: x, kind: numeric, range: [0, 1]}]
- monitor: accuracy
  model: churn
  measure: performance.accuracy
  target: daily
  critical: {below: 0.8}
  min_samples: 50
- monitor: rate
  model: churn
  measure: performance.f1
  target: daily
  critical: {below: 0.8}
  min_samples: 50
"""


def test_a_retraining_is_asked_for_once_and_judged_by_what_its_version_does(world: Callable[[Mapping[str, str]], World]) -> None:
    """Two monitors fire, one request comes, also if the process that follows it is killed meanwhile; the manifest's export holds the rows that it counts; after good days of the new version the episodes end, and its days are the reference."""
    asked: list[dict[str, Any]] = []
    today = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Receiver(asked.append) as receiver, world(SOON) as place, Client(place.url) as client:
        client.apply(DEFINITIONS + yaml.safe_dump([hook(receiver)]))
        for day, right in ((7, 0.95), (6, 0.95), (5, 0.6), (4, 0.6)):
            send_day(client, today - timedelta(days=day), "1", right)
        client.wait(600)
        made = _until(place.url, "dispatched")
        place.kill("up" if "up" in place.names else "deliver")
        data = asked[0]["data"]
        manifest = data["manifest"]
        assert (manifest["from"], manifest["rows"], manifest["labelled"]) == (_text(today - timedelta(days=5)), 2 * ROWS, 2 * ROWS)
        table = pq.read_table(BytesIO(httpx.get(here(place.url, manifest["export_url"]), timeout=60).raise_for_status().content))
        assert table.num_rows == manifest["rows"]
        callback = here(place.url, data["callback_url"])
        assert httpx.post(callback.replace("token=", "token=x"), json={"state": "failed"}).status_code == 403
        for state in ("running", "succeeded"):
            httpx.post(callback, json={"state": state, "version": "2", "metrics": {"accuracy": 0.95}}, timeout=60).raise_for_status()
        assert httpx.post(callback, json={"state": "failed"}).status_code == 403
        for day in (3, 2, 1):
            send_day(client, today - timedelta(days=day), "2", 0.95)
        client.wait(600)
        done = _until(place.url, "effective")
        episodes = list(client.episodes(model=MODEL))
        contract = httpx.get(f"{place.url}/v1/models/{MODEL}/contract", timeout=60).json()
    assert done["id"] == made["id"] == data["id"]
    assert {one["data"]["id"] for one in asked} == {made["id"]}
    assert [one["good"] for one in done["verified"]][-2:] == [True, True]
    assert {(one["ended_by"], tuple(one["retrains"])) for one in episodes} <= {("retrained", (done["id"],)), ("cleared", (done["id"],))}
    assert (len(episodes), contract["version"]) == (2, 2)
    states = dict.fromkeys(one["state"] for one in done["history"])
    states.pop("blocked", None)  # it waits if not all labels of the bad days were read when the monitors fired
    assert list(states) == ["requested", "dispatched", "running", "succeeded", "verifying", "effective"]


def hook(receiver: Receiver, model: str = MODEL) -> dict[str, Any]:
    """A hook of a model that asks a receiver by itself."""
    return {
        "hook": f"retrain-{model}",
        "model": model,
        "url": receiver.url,
        "secret": receiver.secret,
        "on": {"severity": "ticket", "families": ["performance"], "after": "1 windows"},
        "mode": "automatic",
        "require": {"labels": 2 * ROWS},  # all of the two bad days, however late they are read
        "verify": {"measure": "performance.accuracy", "window": "1d", "windows": 2, "within": "14d"},
        "baseline_after": "effective",
    }


def send_day(client: Client, day: datetime, version: str, right: float, model: str = MODEL) -> None:
    """A day of events and labels, of which a share is right."""
    events = list(_events(day, version, model))
    assert client.predictions(events).accepted == ROWS
    labels = [
        {"prediction_id": one["prediction_id"], "model": model, "ts": one["ts"], "label": str(int((row % 2 == 0) == (row < right * ROWS)))}
        for row, one in enumerate(events)
    ]
    assert client.labels(labels).accepted == ROWS


def _events(day: datetime, version: str, model: str) -> Iterator[dict[str, Any]]:
    for row in range(ROWS):
        ts = day + timedelta(minutes=10 * row)
        yield {
            "prediction_id": f"{day:%d}-{row}",
            "model": model,
            "version": version,
            "ts": ts.isoformat(),
            "features": {"x": row / ROWS},
            "prediction": str(int(row % 2 == 0)),
        }


def _until(url: str, state: str) -> dict[str, Any]:
    """The newest request, once it is in a state."""
    until, found = time.monotonic() + 300, []
    while time.monotonic() < until:
        found = httpx.get(f"{url}/v1/retrains", params={"model": MODEL}, timeout=60).json()["items"]
        if found and found[0]["state"] == state and (state != "dispatched" or found[0]["history"][-1]["reason"].startswith("the target")):
            one: dict[str, Any] = found[0]
            return one
        time.sleep(0.2)
    raise AssertionError(found)


def here(url: str, address: str) -> str:
    """An address at the process that serves: those that deliver have no address of their own in this test."""
    parts = urlsplit(address)
    return f"{url}{parts.path}?{parts.query}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
