"""The target `github`, against a server with the rules of GitHub's REST API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import github
from alerts.retrain.target.message import Busy, Dispatched, Found
from core import moment
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

ACTIONS = "/repos/acme/models/actions"


class GitHub(Api):
    """One workflow with the inputs `id` and `request`, whose run-name is `retrain` and the id. Each dispatch begins a run, whatever was there. An `old` server tells nothing of it."""

    def __init__(self, *, old: bool = False) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []
        self.old = old

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.headers.get("authorization") != "Bearer pat":
            return Answer(401, {"message": "Bad credentials"})
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        if asked.path == f"{ACTIONS}/workflows/train.yml/dispatches":
            return self._begin(asked.json)
        if asked.path == f"{ACTIONS}/workflows/train.yml/runs":
            assert asked.query["event"] == "workflow_dispatch"
            return Answer(200, {"total_count": len(self.runs), "workflow_runs": self.runs[::-1]})
        found = [run for run in self.runs if asked.path == f"{ACTIONS}/runs/{run['id']}"]
        return Answer(200, found[0]) if found else Answer(404, {"message": "Not Found"})

    def _begin(self, body: dict[str, Any]) -> Answer:
        if (
            set(body["inputs"]) != {"id", "request"}
            or body["ref"] != "main"
            or not all(isinstance(one, str) for one in body["inputs"].values())
        ):
            return Answer(422, {"message": "Unexpected inputs provided"})
        number = 100 + len(self.runs)
        page = f"https://github.com/acme/models/actions/runs/{number}"
        self.runs.append(
            {
                "id": number,
                "display_title": f"retrain {body['inputs']['id']}",
                "status": "queued",
                "conclusion": None,
                "html_url": page,
                "sent": body,
            }
        )
        return Answer(204) if self.old else Answer(200, {"workflow_run_id": number, "run_url": "", "html_url": page})


def given(api: Api, **more: str) -> dict[str, str]:
    return github.settings({"url": api.url, "repository": "acme/models", "workflow": "train.yml", "token": "pat"} | more)


def test_the_workflow_gets_the_request_as_inputs(wire: Exchange) -> None:
    """All inputs are texts, and the answer names the run."""
    with GitHub() as api:
        begun = github.dispatch(wire, given(api), REQUEST, 0)
        assert begun == Dispatched("100", "https://github.com/acme/models/actions/runs/100")
        inputs = api.runs[0]["sent"]["inputs"]
        assert (inputs["id"], json.loads(inputs["request"])) == (REQUEST.id, REQUEST.data())


def test_a_run_whose_dispatch_was_not_answered_is_found_by_its_name(wire: Exchange) -> None:
    """It is not dispatched again; so is the run of a server that tells no id."""
    assert not github.KIND.idempotent
    with GitHub(old=True) as api:
        assert github.find(wire, given(api), REQUEST) is None
        assert github.dispatch(wire, given(api), REQUEST, 0) == Dispatched()
        api.lose = True
        other = REQUEST._replace(id=REQUEST.id + "1")
        with pytest.raises(Unanswered):
            github.dispatch(wire, given(api), other, 0)
        assert [github.find(wire, given(api), one) for one in (REQUEST, other)] == [
            Dispatched(str(run["id"]), run["html_url"]) for run in api.runs
        ]


@pytest.mark.parametrize(
    ("status", "conclusion", "found"),
    [
        *((one, None, "running") for one in ("queued", "in_progress", "waiting", "requested", "pending")),
        *(("completed", one, "failed") for one in ("failure", "cancelled", "timed_out", "neutral", "skipped", "stale", "action_required")),
        ("completed", "success", "succeeded"),
    ],
)
def test_each_state_of_a_run_is_known(wire: Exchange, status: str, conclusion: str | None, found: str) -> None:
    """A conclusion comes once it is completed."""
    with GitHub() as api:
        github.dispatch(wire, given(api), REQUEST, 0)
        api.runs[0] |= {"status": status, "conclusion": conclusion}
        said = f"GitHub says `{conclusion or status}`"
        assert github.look(wire, given(api), "100") == Found(RetrainState(found), said, url=api.runs[0]["html_url"])


def test_limits_are_told_apart_from_rights(wire: Exchange) -> None:
    """Both are 403; a limit says when to come again, by either header."""
    now = 1_700_000_000 * moment.SECOND
    with GitHub() as api:
        limits = [
            (Answer(403, {}, {"retry-after": "60"}), 60),
            (Answer(403, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030"}), 30),
            (Answer(429, {}, {"retry-after": "5"}), 5),
        ]
        for refusal, seconds in limits:
            api.refusals.append(refusal)
            with pytest.raises(Busy) as caught:
                github.dispatch(wire, given(api), REQUEST, now)
            assert caught.value.after == seconds * moment.SECOND
        api.refusals.append(Answer(403, {"message": "Resource not accessible by personal access token"}, {"x-ratelimit-remaining": "4999"}))
        with pytest.raises(Rejected, match="answered 403: give the token the permission `Actions: write` for acme/models"):
            github.dispatch(wire, given(api), REQUEST, now)
        assert api.runs == []


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """A wrong token, no workflow, and a workflow without the inputs."""
    with GitHub() as api:
        for changes, said in (
            ({"token": "old"}, "answered 401: check the token"),
            ({"workflow": "other.yml"}, "answered 404: check `repository` and `workflow`"),
            ({"ref": "dev"}, "answered 422: let the workflow on `dev` have"),
        ):
            with pytest.raises(Rejected, match=said):
                github.dispatch(wire, given(api, **changes), REQUEST, 0)
    assert github.settings({"repository": "a/b", "workflow": "1", "token": "t"})["url"] == "https://api.github.com"
    for wrong in ({"repository": "a"}, {"workflow": "../x"}, {"token": None}, {"ref": 1}):
        with pytest.raises(ConfigError):
            github.settings({"repository": "a/b", "workflow": "w", "token": "t", **wrong})


def test_thousands_of_episodes_are_cut_to_what_github_takes(wire: Exchange) -> None:
    """All inputs of a dispatch may have 65,535 characters; a longer one would be refused, and the run of the widest change never begin."""
    with GitHub() as api:
        github.dispatch(wire, given(api), REQUEST._replace(episodes=[f"ep_{number:024}" for number in range(5_000)]), 0)
        sent = api.runs[0]["sent"]["inputs"]["request"]
    assert len(sent) <= 65_000
    assert json.loads(sent)["episodes"][:2] == [f"ep_{0:024}", f"ep_{1:024}"]
