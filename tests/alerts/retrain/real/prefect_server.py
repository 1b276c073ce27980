"""The target `prefect` against Prefect itself, which is installed into an environment of its own: `make real-targets`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from alerts.destination.message import Rejected
from alerts.exchange import Exchange
from alerts.retrain.target import prefect
from alerts.retrain.target.message import Found
from core.retrain import RetrainState
from tests.alerts.retrain.real.installed import installed
from tests.alerts.retrain.server import REQUEST
from tests.started import started
from watchkeeper.free_port import free_port

WANTED = "prefect==3.9.1"
AUTH = ("ada", "pw")
FLOW = """
from prefect import flow

@flow
def train(request: dict) -> str:
    if request["reason"] == "fail":
        raise RuntimeError("asked to fail")
    return request["id"]

if __name__ == "__main__":
    train.serve(name="production")
"""
PATIENCE = 300.0  # seconds


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a username and password, and a process that serves the deployment `train/production`."""
    commands = installed("prefect", WANTED)
    home, port = tmp_path_factory.mktemp("prefect"), free_port()
    url = f"http://127.0.0.1:{port}/api"
    told = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_API_AUTH_STRING": ":".join(AUTH),
        "PREFECT_API_AUTH_STRING": ":".join(AUTH),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",  # nothing outside this machine is called
    }
    env = {**os.environ, **told, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    with (home / "log").open("wb") as log:
        server = [str(commands / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        (home / "flow.py").write_text(FLOW)
        flow = [str(commands / "python"), "flow.py"]
        with started(server, cwd=home, env=env, output=log, errors=log):
            wait(f"{url}/health", home)
            with started(flow, cwd=home, env=env, output=log, errors=log):
                wait(f"{url}/deployments/name/train/production", home)
                yield url


def wait(url: str, home: Path) -> None:
    """Return when an address answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(url, auth=AUTH, timeout=10).is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, (home / "log").read_text(errors="replace")[-5_000:]
        time.sleep(1)


def settings(api: str, **more: str) -> dict[str, str]:
    return prefect.settings({"url": api, "deployment": "train/production", "username": AUTH[0], "password": AUTH[1]} | more)


def ended(wire: Exchange, api: str, run: str) -> Found:
    """What is said of a run once it has ended."""
    until = time.monotonic() + PATIENCE
    while (found := prefect.look(wire, settings(api), run)).state is RetrainState.RUNNING:
        assert time.monotonic() < until, found
        time.sleep(1)
    return found


def test_a_request_runs_once_and_is_followed_to_its_end(wire: Exchange, api: str) -> None:
    """A run that succeeds and one that fails; the same request again is the same run."""
    for reason, state in (("accuracy fell", RetrainState.SUCCEEDED), ("fail", RetrainState.FAILED)):
        request = REQUEST._replace(id=f"rt_{uuid4().hex}", reason=reason)
        begun = [prefect.dispatch(wire, settings(api), request, 0) for _ in range(2)]
        assert begun[0] == begun[1]
        assert ended(wire, api, begun[0].run).state is state
        named = httpx.post(f"{api}/flow_runs/filter", json={"flow_runs": {"name": {"any_": [request.id]}}}, auth=AUTH, timeout=30).json()
        assert [run["id"] for run in named] == [begun[0].run]
        assert named[0]["parameters"] == {"request": request.data()}


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange, api: str) -> None:
    """As against the server of the other test."""
    for changes, said in (
        ({"password": "wrong"}, "answered 401: write a `token`"),
        ({"deployment": "train/other"}, "answered 404: check that there is a deployment"),
        ({"parameter": "config"}, "let the flow have a parameter `config`"),
    ):
        with pytest.raises(Rejected, match=said):
            prefect.dispatch(wire, settings(api, **changes), REQUEST._replace(id=f"rt_{uuid4().hex}"), 0)
