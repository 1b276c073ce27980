"""The demo's trainer: what it does with a request, by a server that has the rows and hears how it went."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from standardwebhooks import Webhook

from watchkeeper.demo.flights import Pair
from watchkeeper.demo.trainer import VERSION, Trainer, train

ONSET, ASKED, LATER = (pd.Timestamp(day, tz="UTC") for day in ("2013-02-21", "2013-04-04", "2013-04-25"))


class Server:
    """Gives `rows` as the export, and keeps what the callback is told."""

    def __init__(self, rows: bytes) -> None:
        self.told: list[dict[str, Any]] = []
        self.ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/export" else 403)
                self.end_headers()
                self.wfile.write(rows if self.path == "/export" else b"")

            def do_POST(self) -> None:
                server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()
                if server.told[-1]["state"] != "running":
                    server.ended.set()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def request(self, export: str = "export") -> dict[str, Any]:
        """What a hook sends, as far as the trainer reads it."""
        return {"manifest": {"export_url": f"{self.url}/{export}"}, "callback_url": f"{self.url}/callback"}


@pytest.fixture
def server(flights: tuple[Pair, Pair], tmp_path: Path) -> Iterator[Server]:
    """It has the flights of six weeks before April, with labels as text, and writes those of three weeks after."""
    stream = pd.read_parquet(flights[0].stream)
    label = stream["label"].map({0: "0", 1: "1"})
    rows = stream.assign(label=label)[(stream["ts"] >= ONSET) & (stream["ts"] < ASKED)].to_parquet(index=False)
    stream[(stream["ts"] >= ASKED) & (stream["ts"] < LATER)].to_parquet(tmp_path / "later.parquet", index=False)
    made = Server(rows)
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def test_a_new_version_tells_late_flights_better(server: Server, tmp_path: Path) -> None:
    """The process is asked by a signed webhook, trains on the export, reports, and leaves the same flights with other predictions, which are better on each of three weeks."""
    with Trainer(tmp_path / "later.parquet", tmp_path) as trainer:
        _ask(trainer, {"type": "retrain.requested", "data": server.request()})
        assert server.ended.wait(300)
    later, predicted = pd.read_parquet(tmp_path / "later.parquet"), pd.read_parquet(trainer.predicted)
    assert [one["state"] for one in server.told] == ["running", "succeeded"]
    assert server.told[1]["version"] == VERSION
    same = [name for name in later if name not in {"prediction", "score"}]
    pd.testing.assert_frame_equal(predicted[same], later[same])
    for week in range(3):
        rows = later.index[(later["ts"] - ASKED).dt.days // 7 == week].intersection(later.index[later["label"].notna()])
        before, after = (roc_auc_score(later.loc[rows, "label"].astype(int), one.loc[rows, "score"]) for one in (later, predicted))
        assert after > before


def test_a_run_without_rows_is_reported_as_failed(server: Server, tmp_path: Path) -> None:
    """The export answers 403: the run has failed, and nothing is written."""
    with pytest.raises(httpx.HTTPStatusError):
        train(server.request("else"), tmp_path / "later.parquet", tmp_path / "predicted.parquet")
    assert [one["state"] for one in server.told] == ["running", "failed"]
    assert not (tmp_path / "predicted.parquet").exists()


def _ask(trainer: Trainer, payload: dict[str, Any]) -> None:
    """Send a request as a hook does, again until the trainer listens."""
    body, now = json.dumps(payload), datetime.now(tz=UTC)
    signature = Webhook(trainer.secret).sign("rt_1", now, body)
    headers = {"webhook-id": "rt_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    with httpx.Client(transport=httpx.HTTPTransport(retries=10), trust_env=False) as http:
        assert http.post(trainer.url, content=body, headers=headers, timeout=60).status_code == 204
