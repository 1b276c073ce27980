"""A process of a cluster before its servers are there: it answers, waits, and ends well."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from watchkeeper.cli.app import main
from watchkeeper.free_port import free_port

TOKEN = "hush"
KINDS = ("ingest", "evaluate", "deliver", "serve")


def nowhere() -> dict[str, str]:
    """Settings whose servers do not listen."""
    return {
        "WATCHKEEPER_KAFKA__BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "WATCHKEEPER_CLICKHOUSE__URL": f"http://127.0.0.1:{free_port()}",
        "WATCHKEEPER_CONTROL__URL": f"postgresql://w@127.0.0.1:{free_port()}/w",
        "WATCHKEEPER_LOG_FORMAT": "json",
        "WATCHKEEPER_TOKEN": TOKEN,
    }


@contextmanager
def running(kind: str, environment: Mapping[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """The process, and a client of its port; it listens."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "watchkeeper", kind, "--port", str(port)]
        process = subprocess.Popen(command, stderr=log, env={**os.environ, **environment})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
            until = time.monotonic() + 300
            while time.monotonic() < until and process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield process, client
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_whose_servers_are_away_says_so_waits_and_ends_when_told(kind: str, tmp_path: Path) -> None:
    """It lives, is not ready and says why, shows metrics to who has the token, and SIGTERM ends it with 0; its log is JSON."""
    with running(kind, nowhere(), tmp_path) as (process, client):
        assert client.get("/v1/health/live").json() == {"status": "live"}
        until, detail = time.monotonic() + 300, "starting"
        while detail == "starting" and time.monotonic() < until:
            answer = client.get("/v1/health/ready")
            detail = answer.json()["detail"]
            time.sleep(0.05)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "ClickHouse at http://127.0.0.1" in detail
        assert client.get("/v1/status").json()["problems"] == [detail]
        assert "watchkeeper_problems 1.0" in client.get("/metrics").text
        assert client.post("/v1/predictions").status_code == (503 if kind == "serve" else 404)  # what serves will be there soon
        assert client.get("/v1/status", headers={"Authorization": ""}).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert {"info", "warning"} <= {line["level"] for line in lines}


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_without_brokers_is_wrong_use(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what to set."""
    assert main([kind]) == 2
    assert "WATCHKEEPER_KAFKA__BOOTSTRAP" in capsys.readouterr().err


def test_the_embedded_whole_refuses_brokers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`watchkeeper up` has a log of its own; the hint names the processes."""
    for name, value in nowhere().items():
        monkeypatch.setenv(name, value)
    assert main(["up"]) == 2
    assert "`watchkeeper serve`, `ingest`, `evaluate` and `deliver`" in capsys.readouterr().err
