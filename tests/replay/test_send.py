"""Sending a recording to a server."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

from core.contract import Column, Contract, Kind, Task
from tests.client.stand import Answer, Server
from watchkeeper.client import Client, Refused
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import send

CONTRACT = Contract(model="m", version=1, task=Task.BINARY, features=(Column(name="km", kind=Kind.NUMERIC),), classes=("0", "1"))


def _recording(folder: Path, rows: int, every: str) -> Recording:
    ts = pd.date_range("2022-07-01", periods=rows, freq=every, tz="UTC")
    path = folder / "file.parquet"
    columns = {"prediction_id": [str(row) for row in range(rows)], "ts": ts, "km": [float(row) for row in range(rows)]}
    pd.DataFrame({**columns, "prediction": [1] * rows, "label": [1] * rows}).to_parquet(path)
    return Recording(path, CONTRACT)


def test_labels_never_overtake_their_predictions(server: Server, tmp_path: Path) -> None:
    """Predictions arrive in order; when labels arrive, the predictions of their stretch were answered."""
    answered: set[str] = set()
    early: list[str] = []

    def reply(request: object) -> Answer:
        events, kind = request.events, request.path  # type: ignore[attr-defined]
        ids = [event["prediction_id"] for event in events]
        if kind == "/v1/predictions":
            time.sleep(0.002)
            answered.update(ids)
        else:
            early.extend(key for key in ids if key not in answered)
        return Answer(body={"accepted": len(ids), "rejected": 0})

    server.reply = reply
    told: list[int] = []
    with Client(server.url) as client:
        receipt = send(client, _recording(tmp_path, 12_000, "min"), advance=told.append)
    assert (receipt.predictions.accepted, receipt.labels.accepted, receipt.rejected) == (12_000, 12_000, 0)
    assert early == []
    sent = [int(event["prediction_id"]) for request in server.requests if request.path == "/v1/predictions" for event in request.events]
    assert sent == list(range(12_000))
    assert sum(told) == 24_000


def test_a_pace_takes_its_time(server: Server, tmp_path: Path) -> None:
    """Four hours at 14,400 times real time take a second, in several requests."""
    begun = time.monotonic()
    with Client(server.url) as client:
        receipt = send(client, _recording(tmp_path, 240, "min"), speed=14_400.0)
    assert 0.4 <= time.monotonic() - begun <= 5.0
    assert receipt.accepted == 480
    assert len(server.requests) >= 4


def test_a_refusal_ends_the_sending(server: Server, tmp_path: Path) -> None:
    """The error of the request that was refused comes out; nothing hangs."""
    server.reply = lambda _: Answer(400, {"title": "not JSON"})
    with Client(server.url) as client, pytest.raises(Refused, match="not JSON"):
        send(client, _recording(tmp_path, 30_000, "s"))
    assert len(server.requests) < 20
