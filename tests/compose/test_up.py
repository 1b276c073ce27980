"""`make up`: a whole cluster in one terminal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import AdminClient

from tests.house.tree import ROOT
from tests.services.fixture import absent
from tests.started import IGNORING_INTERRUPTS, started

EVENT = {"prediction_id": "1", "model": "m", "ts": "2026-01-05T08:10:00Z", "features": {"x": 1.0}, "prediction": 12.5}
CONTRACT = """
- contract: m
  task: regression
  columns: [{name: x, kind: numeric, range: [0, 2]}]
  prediction: {range: [0, 100]}
"""


@pytest.mark.slow
def test_a_cluster_comes_works_and_goes(tmp_path: Path) -> None:
    """One event goes all the way; Ctrl-C ends every process and server, with exit code 0, also where the shell that started it ignores SIGINT."""
    command = [sys.executable, "-m", "compose.up", "--data", str(tmp_path / "data"), "--any-port"]
    with (tmp_path / "out").open("wb") as out, started([*IGNORING_INTERRUPTS, *command], cwd=ROOT, output=out, errors=out) as cluster:
        try:
            url, bootstrap = wait(cluster, tmp_path / "out")
            (tmp_path / "m.yaml").write_text(CONTRACT, encoding="utf-8")
            subprocess.run(
                [sys.executable, "-m", "watchkeeper", "apply", str(tmp_path / "m.yaml"), "--url", url], cwd=ROOT, check=True, timeout=300
            )
            with httpx.Client(base_url=url, timeout=180) as client:
                assert client.post("/v1/predictions", json=[EVENT]).json()["accepted"] == 1
                until = time.monotonic() + 300
                while not client.get("/v1/status").json()["quiet"] and time.monotonic() < until:
                    time.sleep(0.2)
                assert client.get("/v1/readings", params={"model": "m", "measure": "quality.null_rate"}).json()["items"] != []
                assert "Watchkeeper" in client.get("/ui/models/m").raise_for_status().text
            assert AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=120).topics.keys() >= {
                "predictions",
                "ticks",
            }
        finally:
            cluster.send_signal(signal.SIGINT)
        assert cluster.wait(300) == 0
    names = set(re.findall(r"^ *([\w-]+) \| ", (tmp_path / "out").read_text(encoding="utf-8"), re.MULTILINE))
    assert names >= {"postgres", "migrate", "ingest-1", "ingest-2", "evaluate", "deliver", "serve"}
    left = subprocess.run(["pgrep", "-f", str(tmp_path / "data")], capture_output=True, text=True, check=False).stdout
    assert left == ""


def wait(cluster: subprocess.Popen[bytes], out: Path) -> tuple[str, str]:
    """The addresses of the API and the brokers, when everything runs."""
    until = time.monotonic() + 600
    while time.monotonic() < until:
        said = out.read_text(encoding="utf-8")
        if found := re.search(r"everything runs: (\S+), pages at /ui/, brokers at (\S+);", said):
            return found[1], found[2]
        if cluster.poll() is not None:
            if "make services" in said or "install " in said:
                absent(said)
            break
        time.sleep(0.2)
    pytest.fail(f"the cluster does not come up\n{out.read_text(encoding='utf-8')[-5000:]}")
