"""The target `prefect`, against a server with the rules of Prefect's REST API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import prefect
from alerts.retrain.target.message import Dispatched, Found
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

DEPLOYMENT = "6b1f3d0e-1111-4222-8333-444455556666"


class Prefect(Api):
    """One deployment. A flow run with an idempotency key that is there is answered with 200 in place of 201; parameters that the flow does not take are 409."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.headers.get("authorization") != "Bearer key":
            return Answer(401, {"detail": "Unauthorized"})
        if asked.path == "/api/deployments/name/train/my flow":
            return Answer(200, {"id": DEPLOYMENT, "name": "my flow"})
        if asked.path == f"/api/deployments/{DEPLOYMENT}/create_flow_run":
            return self._begin(asked.json)
        run = self.runs.get(asked.path.removeprefix("/api/flow_runs/"))
        return Answer(404, {"detail": "Flow run not found"}) if run is None else Answer(200, run)

    def _begin(self, body: dict[str, Any]) -> Answer:
        if set(body["parameters"]) != {"request"}:
            return Answer(409, {"detail": "Error creating flow run: Validation failed."})
        for run in self.runs.values():
            if run["idempotency_key"] == body["idempotency_key"]:
                return Answer(200, run)
        run = {"id": str(uuid4()), "state_type": "SCHEDULED", "state_name": "Scheduled", **body}
        self.runs[run["id"]] = run
        return Answer(201, run)


def given(api: Api, **more: str) -> dict[str, str]:
    return prefect.settings({"url": f"{api.url}/api", "deployment": "train/my flow", "token": "key"} | more)


def test_the_deployment_runs_once_with_the_request_as_a_parameter(wire: Exchange) -> None:
    """By its name and by its id; the second dispatch, and one after a lost answer, finds the run of the first."""
    assert prefect.KIND.idempotent
    with Prefect() as api:
        begun = [prefect.dispatch(wire, given(api, deployment=name), REQUEST, 0) for name in ("train/my flow", DEPLOYMENT)]
        api.lose = True
        with pytest.raises(Unanswered):
            prefect.dispatch(wire, given(api, deployment=DEPLOYMENT), REQUEST, 0)
        begun.append(prefect.dispatch(wire, given(api), REQUEST, 0))
        ((name, run),) = api.runs.items()
        assert begun == [Dispatched(name, f"{api.url}/runs/flow-run/{name}")] * 3
        assert (run["name"], run["parameters"]) == (REQUEST.id, {"request": REQUEST.data()})


@pytest.mark.parametrize(
    ("type_", "found"),
    [
        *((one, "running") for one in ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")),
        *(("COMPLETED", "succeeded"), ("FAILED", "failed"), ("CRASHED", "failed"), ("CANCELLED", "failed")),
    ],
)
def test_each_state_of_a_run_is_known(wire: Exchange, type_: str, found: str) -> None:
    """By its type, since its name is free."""
    with Prefect() as api:
        api.runs["r"] = {"state_type": type_, "state_name": "Late"}
        assert prefect.look(wire, given(api), "r") == Found(RetrainState(found), "Prefect says `Late`")


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """No credentials, no deployment, and a flow without the parameter."""
    with Prefect() as api:
        for changes, said in (
            ({"token": "old"}, "answered 401: write a `token`"),
            ({"deployment": "train/other"}, "answered 404: check that there is a deployment `train/other`"),
            ({"parameter": "config"}, "answered 409: let the flow have a parameter `config`"),
        ):
            with pytest.raises(Rejected, match=said):
                prefect.dispatch(wire, given(api, **changes), REQUEST, 0)
        open_ = prefect.settings({"url": f"{api.url}/api", "deployment": DEPLOYMENT})
        with pytest.raises(Rejected, match="401"):
            prefect.dispatch(wire, open_, REQUEST, 0)
        assert "authorization" not in api.calls[-1].headers
    for wrong in ({"deployment": "train"}, {"parameter": "a b"}, {"token": "t", "username": "u", "password": "p"}, {"url": None}):
        with pytest.raises(ConfigError):
            prefect.settings({"url": "http://a/api", "deployment": "a/b", **wrong})


def test_the_page_of_a_run_on_the_cloud_is_in_its_workspace() -> None:
    """The address of the API holds account and workspace."""
    url = "https://api.prefect.cloud/api/accounts/a1/workspaces/w1"
    assert prefect._page(url, "r") == "https://app.prefect.cloud/account/a1/workspace/w1/runs/flow-run/r"
