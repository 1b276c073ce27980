"""The target `kubeflow`, against a server with the rules of the API v2beta1 of Kubeflow Pipelines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import kubeflow
from alerts.retrain.target.message import Dispatched, Found
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

RUNS = "/pipeline/apis/v2beta1/runs"


class Kubeflow(Api):
    """One pipeline with the parameter `request`. Each creation begins a run, whatever its name. Errors have the form of gRPC's gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.headers.get("authorization") != "Bearer sa":
            return Answer(401, "Unauthorized")
        if asked.method == "POST" and asked.path == RUNS:
            return self._begin(asked.json)
        if asked.path == RUNS:
            (predicate,) = json.loads(asked.query["filter"])["predicates"]
            assert (predicate["key"], predicate["operation"]) == ("display_name", "EQUALS")
            found = [run for run in self.runs.values() if run["display_name"] == predicate["string_value"]]
            return Answer(200, {"runs": found, "total_size": len(found)} if found else {})
        run = self.runs.get(asked.path.removeprefix(f"{RUNS}/"))
        return Answer(404, {"code": 5, "error": "ResourceNotFoundError"}) if run is None else Answer(200, run)

    def _begin(self, body: dict[str, Any]) -> Answer:
        if body["pipeline_version_reference"]["pipeline_id"] != "p1":
            return Answer(404, {"code": 5, "error": "ResourceNotFoundError: Pipeline not found"})
        if set(body["runtime_config"]["parameters"]) != {"request"}:
            return Answer(400, {"code": 3, "error": "Invalid input error"})
        run = body | {"run_id": f"run-{len(self.runs)}", "state": "PENDING"}
        self.runs[run["run_id"]] = run
        return Answer(200, run)


def given(api: Api, **more: str) -> dict[str, str]:
    return kubeflow.settings({"url": f"{api.url}/pipeline", "pipeline": "p1", "token": "sa"} | more)


def test_the_pipeline_gets_the_request_as_a_parameter(wire: Exchange) -> None:
    """As JSON. The version and the experiment are sent only where they are given."""
    with Kubeflow() as api:
        begun = kubeflow.dispatch(wire, given(api), REQUEST, 0)
        assert begun == Dispatched("run-0", f"{api.url}/pipeline/#/runs/details/run-0")
        run = api.runs["run-0"]
        assert json.loads(run["runtime_config"]["parameters"]["request"]) == REQUEST.data()
        assert (run["display_name"], run["description"], run["pipeline_version_reference"]) == (
            REQUEST.id,
            REQUEST.reason,
            {"pipeline_id": "p1"},
        )
        assert "experiment_id" not in run
        other = REQUEST._replace(id="rt_2")
        kubeflow.dispatch(wire, given(api, pipeline_version="v2", experiment="e1", namespace="ml"), other, 0)
        assert api.runs["run-1"]["pipeline_version_reference"]["pipeline_version_id"] == "v2"
        assert api.runs["run-1"]["experiment_id"] == "e1"
        assert {name: api.calls[-2].query[name] for name in ("experiment_id", "namespace")} == {"experiment_id": "e1", "namespace": "ml"}


def test_a_run_is_looked_for_by_its_name(wire: Exchange) -> None:
    """Before each dispatch, and after a lost answer; so the same request begins one run, one dispatch after the other."""
    assert not kubeflow.KIND.idempotent
    with Kubeflow() as api:
        assert kubeflow.find(wire, given(api), REQUEST) is None
        with pytest.raises(Unanswered):
            _lost(wire, api)
        assert kubeflow.find(wire, given(api), REQUEST) == kubeflow.dispatch(wire, given(api), REQUEST, 0)
        assert len(api.runs) == 1


def _lost(wire: Exchange, api: Kubeflow) -> None:
    """A dispatch that begins a run, whose answer is no JSON."""
    begin = api._begin
    api._begin = lambda body: Answer(200, "<html>") if begin(body).status == 200 else Answer(500)  # type: ignore[method-assign]
    try:
        kubeflow.dispatch(wire, given(api), REQUEST, 0)
    finally:
        api._begin = begin  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        *((one, "running") for one in ("PENDING", "RUNNING", "CANCELING", "PAUSED", "RUNTIME_STATE_UNSPECIFIED")),
        *(("SUCCEEDED", "succeeded"), ("SKIPPED", "succeeded"), ("FAILED", "failed"), ("CANCELED", "failed")),
    ],
)
def test_each_state_of_a_run_is_known(wire: Exchange, state: str, found: str) -> None:
    """A run that was skipped has its result from the cache."""
    with Kubeflow() as api:
        api.runs["r"] = {"run_id": "r", "state": state}
        assert kubeflow.look(wire, given(api), "r") == Found(RetrainState(found), f"Kubeflow says `{state}`")


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """A token, a pipeline, a parameter that are not there."""
    with Kubeflow() as api:
        for changes, said in (
            ({"token": "old"}, "answered 401: give a token of a service account"),
            ({"pipeline": "p2"}, "answered 404: check `pipeline`"),
            ({"parameter": "config"}, "answered 400: check that the pipeline `p1` has a parameter `config`"),
        ):
            with pytest.raises(Rejected, match=said):
                kubeflow.dispatch(wire, given(api, **changes), REQUEST, 0)
    for wrong in ({"pipeline": None}, {"parameter": "a b"}, {"experiment": 3}):
        with pytest.raises(ConfigError):
            kubeflow.settings({"url": "http://a", "pipeline": "p", **wrong})
