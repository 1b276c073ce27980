"""The target `airflow` against Airflow itself, which is installed into an environment of its own: `make real-targets`."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from alerts.destination.message import Rejected
from alerts.exchange import Exchange
from alerts.retrain.target import airflow
from alerts.retrain.target.message import Found
from core.retrain import RetrainState
from tests.alerts.retrain.real.installed import installed
from tests.alerts.retrain.server import REQUEST
from tests.started import started
from watchkeeper.free_port import free_port

WANTED = "apache-airflow==3.3.2"
AUTH = {"username": "ada", "password": "pw"}
READS = {"username": "bob", "password": "pw"}  # may read, and trigger nothing
DAG = """
from airflow.sdk import dag, task

@dag(dag_id="train_delay", schedule=None)
def train_delay():
    @task(retries=0)
    def train(dag_run=None):
        if dag_run.conf["reason"] == "fail":
            raise RuntimeError("asked to fail")
        return dag_run.conf["manifest"]["export_url"]

    train()

train_delay()
"""
PATIENCE = 300.0  # seconds


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All of Airflow on loopback, with SQLite, one DAG `train_delay`, and its own accounts."""
    commands = installed("airflow", WANTED)
    home, port = tmp_path_factory.mktemp("airflow"), free_port()
    url = f"http://127.0.0.1:{port}"
    (home / "dags").mkdir()
    (home / "dags" / "train_delay.py").write_text(DAG)
    (home / "passwords").write_text(json.dumps({one["username"]: one["password"] for one in (AUTH, READS)}))
    told = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": uuid4().hex * 2,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AUTH['username']}:op,{READS['username']}:viewer",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "false",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",  # nothing outside this machine is called
    }
    env = {**os.environ, **told, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    with (
        (home / "log").open("wb") as log,
        started(["setsid", str(commands / "airflow"), "standalone"], cwd=home, env=env, output=log, errors=log) as server,
    ):
        try:
            wait(f"{url}/api/v2/dags/train_delay", home)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # all that it has started, too


@pytest.fixture(scope="module")
def wire() -> Iterator[Exchange]:
    """With more patience than that of Watchkeeper, whose requests are made again: Airflow needs seconds for an answer where it has little CPU."""
    exchange = Exchange(seconds=60.0)
    yield exchange
    exchange.close()


def wait(url: str, home: Path) -> None:
    """Return when an address answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(url, headers=entered(url), timeout=10).is_success:
                return
        except (httpx.TransportError, KeyError):
            pass
        assert time.monotonic() < until, (home / "log").read_text(errors="replace")[-5_000:]
        time.sleep(1)


def entered(url: str) -> dict[str, str]:
    token = httpx.post(str(httpx.URL(url).join("/auth/token")), json=AUTH, timeout=30).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


def settings(api: str, **more: str) -> dict[str, str]:
    return airflow.settings({"url": api, "dag": "train_delay"} | (more if "token" in more else AUTH | more))


def ended(wire: Exchange, api: str, run: str) -> Found:
    """What is said of a run once it has ended."""
    until = time.monotonic() + PATIENCE
    while (found := airflow.look(wire, settings(api), run)).state is RetrainState.RUNNING:
        assert time.monotonic() < until, found
        time.sleep(1)
    return found


def test_a_request_runs_once_and_is_followed_to_its_end(wire: Exchange, api: str) -> None:
    """A run that succeeds and one that fails. The same request again is refused by Airflow with 409, and is the same run."""
    for reason, state, word in (("accuracy fell", RetrainState.SUCCEEDED, "success"), ("fail", RetrainState.FAILED, "failed")):
        request = REQUEST._replace(id=f"rt_{uuid4().hex}", reason=reason)
        begun = [airflow.dispatch(wire, settings(api), request, 0) for _ in range(2)]
        assert begun[0] == begun[1]
        runs = f"{api}/api/v2/dags/train_delay/dagRuns"
        again = httpx.post(runs, json={"dag_run_id": request.id, "logical_date": None}, headers=entered(api), timeout=30)
        assert again.status_code == 409
        assert ended(wire, api, begun[0].run) == Found(state, f"Airflow says `{word}`")
        known = httpx.get(runs, headers=entered(api), timeout=30).json()["dag_runs"]
        (one,) = [run for run in known if run["dag_run_id"] == request.id]
        assert (one["conf"], one["note"]) == (json.loads(json.dumps(request.data())), reason)
        assert httpx.get(begun[0].url, follow_redirects=True, timeout=30).status_code == 200


def test_a_token_of_its_own_is_taken(wire: Exchange, api: str) -> None:
    """As the auth manager gives it, without a password in the hook."""
    token = entered(api)["authorization"].removeprefix("Bearer ")
    request = REQUEST._replace(id=f"rt_{uuid4().hex}")
    assert airflow.dispatch(wire, settings(api, token=token), request, 0).run == request.id


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange, api: str) -> None:
    """As against the server of the other test, and where the account may only read."""
    for changes, said in (
        ({"password": "wrong"}, "answered 401: check the hook's credentials"),
        ({"token": "wrong"}, "answered 403: .* `train_delay`, and check the token"),
        (READS, "answered 403: let the account trigger and read runs of the DAG `train_delay`"),
        ({"dag": "other"}, "answered 404: check that Airflow has parsed a DAG `other`"),
    ):
        with pytest.raises(Rejected, match=said):
            airflow.dispatch(wire, settings(api, **changes), REQUEST._replace(id=f"rt_{uuid4().hex}"), 0)
