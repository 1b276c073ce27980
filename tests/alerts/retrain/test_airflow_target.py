"""The target `airflow`, against a server with the rules of Airflow's REST API v2."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import airflow
from alerts.retrain.target.message import Dispatched, Found
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

RUNS = "/api/v2/dags/train_delay/dagRuns"
FIELDS = {"dag_run_id", "data_interval_start", "data_interval_end", "logical_date", "run_after", "conf", "note"}


class Airflow(Api):
    """One DAG, one user. Bodies are strict: an unknown field, or no `logical_date`, is 422; a second run of an id is 409."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.path == "/auth/token":
            good = asked.json == {"username": "ada", "password": "pw"}
            return Answer(201, {"access_token": "jwt"}) if good else Answer(401, {"detail": "Invalid credentials"})
        if asked.headers.get("authorization") != "Bearer jwt":
            expired = asked.headers.get("authorization") == "Bearer old"
            return Answer(401, {"detail": "Token Expired"}) if expired else Answer(403, {"detail": "Invalid JWT token"})
        if not asked.path.startswith(RUNS):
            return Answer(404, {"detail": "DAG not found"})
        name = asked.path.removeprefix(RUNS).strip("/")
        if asked.method == "POST":
            return self._begin(asked.json)
        return Answer(200, self.runs[name]) if name in self.runs else Answer(404, {"detail": "The DagRun was not found"})

    def _begin(self, body: dict[str, Any]) -> Answer:
        if not set(body) <= FIELDS or "logical_date" not in body:
            return Answer(422, {"detail": [{"type": "extra_forbidden"}]})
        if body["dag_run_id"] in self.runs:
            return Answer(409, {"detail": {"reason": "Unique constraint violation"}})
        self.runs[body["dag_run_id"]] = body | {"dag_id": "train_delay", "state": "queued"}
        return Answer(200, self.runs[body["dag_run_id"]])


def given(api: Api, **more: str) -> dict[str, str]:
    return airflow.settings({"url": api.url + "/", "dag": "train_delay", **({"token": "jwt"} | more)})


def test_the_dag_runs_once_with_the_request_as_its_conf(wire: Exchange) -> None:
    """The second dispatch of the same request finds the run of the first."""
    with Airflow() as api:
        begun = [airflow.dispatch(wire, given(api), REQUEST, 0) for _ in range(2)]
        assert begun == [Dispatched(REQUEST.id, f"{api.url}/dags/train_delay/runs/{REQUEST.id}")] * 2
        ((name, run),) = api.runs.items()
        assert (name, run["conf"], run["note"], run["logical_date"]) == (REQUEST.id, REQUEST.data(), REQUEST.reason, None)
        for state, found in (("queued", "running"), ("running", "running"), ("success", "succeeded"), ("failed", "failed")):
            run["state"] = state
            assert airflow.look(wire, given(api), REQUEST.id) == Found(RetrainState(found), f"Airflow says `{state}`")


def test_a_lost_answer_begins_no_second_run(wire: Exchange) -> None:
    """The dispatch is made again, as an idempotent target allows."""
    assert airflow.KIND.idempotent
    with Airflow() as api:
        api.lose = True
        with pytest.raises(Unanswered):
            airflow.dispatch(wire, given(api), REQUEST, 0)
        assert airflow.dispatch(wire, given(api), REQUEST, 0).run == REQUEST.id
        assert len(api.runs) == 1


def test_a_run_of_that_id_that_is_not_ours_is_refused(wire: Exchange) -> None:
    """Somebody else has begun it."""
    with Airflow() as api:
        api.runs[REQUEST.id] = {"conf": {"id": "another"}, "state": "success"}
        with pytest.raises(Rejected, match="of another origin"):
            airflow.dispatch(wire, given(api), REQUEST, 0)


def test_a_username_gets_a_token(wire: Exchange) -> None:
    """A wrong password is told with what to do."""
    with Airflow() as api:
        person = {"url": api.url, "dag": "train_delay", "username": "ada", "password": "pw"}
        assert airflow.dispatch(wire, airflow.settings(person), REQUEST, 0).run == REQUEST.id
        with pytest.raises(Rejected, match=r"answered 401: check the hook's credentials") as caught:
            airflow.dispatch(wire, airflow.settings(person | {"password": "wrong"}), REQUEST, 0)
        assert "wrong" not in str(caught.value)


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """A token that has expired, one that is none, and a DAG that is not there."""
    with Airflow() as api:
        for token, said in (
            ("old", "answered 401: the token has expired"),
            ("wrong", "answered 403: .* `train_delay`, and check the token"),
        ):
            with pytest.raises(Rejected, match=said):
                airflow.dispatch(wire, given(api, token=token), REQUEST, 0)
        with pytest.raises(Rejected, match="answered 404: check that Airflow has parsed a DAG `other`"):
            airflow.dispatch(wire, given(api, dag="other"), REQUEST, 0)
    for wrong in ({"dag": "a/b"}, {"dag": None}, {"username": "ada", "password": "x"}, {"url": "ftp://x"}):
        with pytest.raises(ConfigError):
            airflow.settings({"url": "http://a", "dag": "d", "token": "t", **wrong})
