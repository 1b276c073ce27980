"""The demo's trainer: a process that is asked for a retraining, fits the model of delays to the rows that it is told of, and predicts the later flights with it.

Run as `python -m watchkeeper.demo.trainer PORT FLIGHTS PREDICTED`, with the secret of its hook in the environment: FLIGHTS is a Parquet file of the stream, and PREDICTED
becomes the same with the predictions of the new version.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from watchkeeper.child_process import ChildProcess
from watchkeeper.demo.flights import retrained
from watchkeeper.demo.receiver import Receiver, new_secret
from watchkeeper.free_port import free_port

VERSION = "2"
_SECRET = "TRAINER_SECRET"
_PATIENCE = 120.0  # seconds for an answer of the server


class Trainer:
    """The process, while it is entered: `url` and `secret` are for its hook, its output goes to `folder`/trainer.log, and `predicted` is there when it has reported success."""

    def __init__(self, flights: Path, folder: Path) -> None:
        self._port, self.secret = free_port(), new_secret()
        self.url = f"http://127.0.0.1:{self._port}/hook"
        self.predicted = folder / "predicted.parquet"
        self._flights, self._log = flights, folder / "trainer.log"
        self._process: ChildProcess | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, str(self._port), str(self._flights), str(self.predicted)]
        with self._log.open("wb") as log:
            self._process = ChildProcess(command, log, {**os.environ, _SECRET: self.secret})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.end(signal.SIGTERM, 10.0)


def train(request: dict[str, Any], flights: Path, predicted: Path) -> None:
    """Do what a request asks for, and report to its callback: that the run has begun, and how it ended."""
    import pandas as pd

    with httpx.Client(timeout=_PATIENCE, trust_env=False) as http:

        def report(**said: Any) -> None:
            http.post(request["callback_url"], json=said).raise_for_status()

        report(state="running")
        try:
            rows = pd.read_parquet(BytesIO(http.get(request["manifest"]["export_url"]).raise_for_status().content))
            retrained(rows, pd.read_parquet(flights)).to_parquet(predicted, index=False)
        except Exception:
            report(state="failed")
            raise
        report(state="succeeded", version=VERSION, metrics={"rows": len(rows)})


def main(port: int, flights: Path, predicted: Path) -> None:
    """Do what is asked for, one request after the other, until the process is ended."""
    asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with Receiver(asked.put, port, os.environ[_SECRET]):
        while True:
            train(asked.get()["data"], flights, predicted)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
