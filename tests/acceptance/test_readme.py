"""The commands of the README do what it says, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.started import started
from watchkeeper.client import Client
from watchkeeper.free_port import free_port

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"


def test_the_first_model_of_a_reader(tmp_path: Path) -> None:
    """Every shell block runs, one after the other, and at the end the episode of the Bronx is open."""
    text = README.read_text()
    start, *rest = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "WATCHKEEPER_URL": url, "WATCHKEEPER_PORT": str(port)}
    # As the reader's shell would, but without the ampersand, so that we can end it.
    with started(["bash", "-c", "exec " + start.strip().removesuffix("&")], cwd=tmp_path, env=environment) as server:
        with Client(url, patience=300) as client:
            client.status()
            for block in rest:
                subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, check=True, timeout=300)
            client.wait(600)
            readings = {item["segment"]: item for item in client.readings(model="taxi-fare", monitor="fare-error")}
            assert {segment: item["value"] for segment, item in readings.items()} == {
                "all": 5.0,
                "borough=Bronx": 9.5,
                "borough=Queens": 0.5,
            }
            assert {item["segment"]: item["level"] for item in client.episodes(state="open")} == {
                "all": "critical",
                "borough=Bronx": "critical",
            }
            (day,) = {(item["window_start"], item["window_end"]) for item in client.readings(model="taxi-fare", monitor="fare-days")}
            assert day == ("2026-01-05T05:00:00Z", "2026-01-06T05:00:00Z")
            run = [sys.executable, "-c", re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]]
            subprocess.run(run, cwd=tmp_path, env=environment, check=True, timeout=300)
        server.terminate()
        assert server.wait(300) == 0
