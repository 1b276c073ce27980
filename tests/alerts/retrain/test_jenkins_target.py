"""The target `jenkins`, against a server with the rules of Jenkins' remote access API."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import jenkins
from alerts.retrain.target.message import Dispatched, Found
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

JOB = "/job/models/job/train delay"
AUTH = "Basic " + base64.b64encode(b"ada:11ab").decode()


class Jenkins(Api):
    """One job in a folder. A build waits as an item of the queue; the item is forgotten some time after it has left."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[int, dict[str, Any]] = {}
        self.builds: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.headers.get("authorization") != AUTH:
            return Answer(401, "<html>")
        if asked.path == f"{JOB}/buildWithParameters" and asked.method == "POST":
            return self._queue(parse_qs(asked.body.decode()))
        if asked.path == "/queue/api/json":
            return Answer(200, {"items": [item for item in self.items.values() if "executable" not in item]})
        if asked.path.startswith("/queue/item/"):
            item = self.items.get(int(asked.path.split("/")[3]))
            return Answer(404, "<html>") if item is None else Answer(200, item)
        if asked.path == f"{JOB}/api/json":
            return Answer(200, {"builds": self.builds[::-1]})
        found = [build for build in self.builds if asked.path == f"{JOB}/{build['number']}/api/json"]
        return Answer(200, found[0]) if found else Answer(404, "<html>")

    def _queue(self, form: dict[str, list[str]]) -> Answer:
        number = 40 + len(self.items) + len(self.builds)
        parameters = [{"name": name, "value": value[0]} for name, value in form.items()]
        self.items[number] = {"id": number, "why": "Waiting for next available executor", "actions": [{}, {"parameters": parameters}]}
        return Answer(201, None, {"location": f"http://inside.example:8080/queue/item/{number}/"})

    def build(self, number: int, result: str | None) -> None:
        """The item of the queue becomes a build, which goes on without a result."""
        item = self.items[number]
        url = f"https://jenkins.example.org/build/{number - 30}/"
        self.builds.append(
            {"number": number - 30, "url": url, "building": result is None, "result": result, "queueId": number, "actions": item["actions"]}
        )
        item["executable"] = {"number": number - 30, "url": url}


def given(api: Api, **more: str) -> dict[str, str]:
    return jenkins.settings({"url": api.url, "job": "models/train delay", "username": "ada", "token": "11ab"} | more)


def test_the_job_gets_the_request_as_parameters(wire: Exchange) -> None:
    """The run is the item of the queue; the host of its address is not called."""
    with Jenkins() as api:
        assert jenkins.dispatch(wire, given(api), REQUEST, 0) == Dispatched("queue/40", f"{api.url}/job/models/job/train%20delay/")
        sent = {one["name"]: one["value"] for one in api.items[40]["actions"][1]["parameters"]}
        assert (sent["id"], json.loads(sent["request"])) == (REQUEST.id, REQUEST.data())
        assert api.calls[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("result", "found"),
    [(None, "running"), ("SUCCESS", "succeeded"), *((one, "failed") for one in ("FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT"))],
)
def test_a_run_is_followed_from_the_queue_to_its_build(wire: Exchange, result: str | None, found: str) -> None:
    """Also after Jenkins has forgotten the item."""
    with Jenkins() as api:
        run = jenkins.dispatch(wire, given(api), REQUEST, 0).run
        assert jenkins.look(wire, given(api), run).reason == "Jenkins has it in the queue: Waiting for next available executor"
        api.build(40, result)
        said = Found(RetrainState(found), "Jenkins is building" if result is None else f"Jenkins says `{result}`", url=api.builds[0]["url"])
        assert [jenkins.look(wire, given(api), one) for one in (run, "10")] == [said, said]
        del api.items[40]
        assert jenkins.look(wire, given(api), run) == said
        api.builds.clear()
        assert jenkins.look(wire, given(api), run).state is RetrainState.RUNNING


def test_a_build_that_is_cancelled_in_the_queue_has_failed(wire: Exchange) -> None:
    """It never becomes a build."""
    with Jenkins() as api:
        run = jenkins.dispatch(wire, given(api), REQUEST, 0).run
        api.items[40]["cancelled"] = True
        assert jenkins.look(wire, given(api), run).state is RetrainState.FAILED


def test_a_build_whose_dispatch_was_not_answered_is_found(wire: Exchange) -> None:
    """By its parameter, in the queue and among the builds."""
    assert not jenkins.KIND.idempotent
    with Jenkins() as api:
        jenkins.dispatch(wire, given(api), REQUEST._replace(id="rt_other"), 0)
        assert jenkins.find(wire, given(api), REQUEST) is None
        api.lose = True
        with pytest.raises(Unanswered):
            jenkins.dispatch(wire, given(api), REQUEST, 0)
        assert jenkins.find(wire, given(api), REQUEST) == Dispatched("queue/41", f"{api.url}/job/models/job/train%20delay/")
        api.build(41, None)
        assert jenkins.find(wire, given(api), REQUEST) == Dispatched("11", api.builds[0]["url"])


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """A wrong token, no job, a job that takes no parameters or is off, and an answer without an item."""
    with Jenkins() as api:
        with pytest.raises(Rejected, match="answered 401: check `username`"):
            jenkins.dispatch(wire, given(api, token="old"), REQUEST, 0)
        with pytest.raises(Rejected, match="answered 404: check that there is a job `other`"):
            jenkins.dispatch(wire, given(api, job="other"), REQUEST, 0)
        for status, said in (
            (403, "read and build the job"),
            (400, "string parameters"),
            (409, "enable the job"),
            (500, "string parameters"),
        ):
            api.refusals.append(Answer(status, "<html>"))
            with pytest.raises((Rejected, Unanswered), match=f"answered {status}: .*{said}"):
                jenkins.dispatch(wire, given(api), REQUEST, 0)
        api.refusals.append(Answer(201, None, {"location": f"{api.url}{JOB}/"}))
        with pytest.raises(Unanswered, match="does not tell the item"):
            jenkins.dispatch(wire, given(api), REQUEST, 0)
    for wrong in ({"job": "a//b"}, {"username": "a:b"}, {"token": None}):
        with pytest.raises(ConfigError):
            jenkins.settings({"url": "http://a", "job": "j", "username": "u", "token": "t", **wrong})
