"""The kind `jenkins`: a build of a job with parameters.

Jenkins has no key by which it would know a request again. A build whose request has no known answer is not asked for again: it is looked for by its parameter `id`, in the queue and among the last builds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from alerts.destination import field
from alerts.destination.message import Unanswered
from alerts.retrain.target.call import basic, call, held, run_of, text_of, word
from alerts.retrain.target.message import Dispatched, Found, Reply, Request, Target, Wire, read
from core.retrain import RetrainState

_QUEUE = re.compile(r"/queue/item/(\d{1,15})/?$")
_QUEUED = "queue/"  # before the number of an item of the queue, as the id of a run that is no build yet
_BUILDS = "builds[number,url,building,result,queueId,actions[parameters[name,value]]]{0,50}"
_GONE = 404


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` of Jenkins, `job` (with its folders), `username`, and that user's API token."""
    return {
        "url": field.url(document.get("url"), "https://jenkins.example.org").rstrip("/"),
        "job": word(document, "job", "models/train-delay", of=r"[^/\x00-\x1f]+(/[^/\x00-\x1f]+)*"),
        "username": word(document, "username", "watchkeeper", of=r"[^:\x00-\x1f]+"),
        **field.one_of(document, "token", "write `token_file: /run/secrets/jenkins`, an API token of the user"),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Ask for a build with the parameters `id` and `request`, the data as JSON. It waits in the queue first."""
    form = urlencode({"id": request.id, "request": msgspec.json.encode(request.data()).decode()})
    reply = _asked(wire, given, f"{_job(given)}/buildWithParameters", form, now)
    item = _QUEUE.search(reply.headers.get("location", ""))
    if item is None:
        raise Unanswered("Jenkins does not tell the item of its queue")
    return Dispatched(f"{_QUEUED}{item[1]}", f"{given['url']}{_job(given)}/")


def find(wire: Wire, given: Mapping[str, str], request: Request) -> Dispatched | None:
    """The build, or the item of the queue, whose parameter `id` is that of the request."""
    for build in _builds(wire, given):
        if _has(build, request.id):
            return Dispatched(run_of(held(build, "number")), text_of(build, "url"))
    items = held(read(_asked(wire, given, "/queue/api/json?tree=" + quote("items[id,actions[parameters[name,value]]]"))), "items")
    for item in items if isinstance(items, list) else []:
        if _has(item, request.id):
            return Dispatched(f"{_QUEUED}{run_of(held(item, 'id'))}", f"{given['url']}{_job(given)}/")
    return None


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The state of an item of the queue, or of the build that it became. Jenkins forgets items some minutes after they left the queue."""
    if not run.startswith(_QUEUED):
        return _found(read(_asked(wire, given, f"{_job(given)}/{quote(run)}/api/json?tree=building,result,url")))
    number = run.removeprefix(_QUEUED)
    reply = _asked(wire, given, f"/queue/item/{quote(number)}/api/json", passed=_GONE)
    if reply.status == _GONE:
        build = next((one for one in _builds(wire, given) if str(held(one, "queueId")) == number), None)
        return (
            Found(RetrainState.RUNNING, "Jenkins has forgotten the item of its queue, and knows no build of it")
            if build is None
            else _found(build)
        )
    item = read(reply)
    if held(item, "cancelled") is True:
        return Found(RetrainState.FAILED, "Jenkins says that the build was cancelled in the queue")
    build = held(item, "executable", "number")
    if build is None:
        return Found(RetrainState.RUNNING, f"Jenkins has it in the queue: {text_of(item, 'why') or 'it waits'}")
    return look(wire, given, run_of(build))


def _found(build: Any) -> Found:
    result, url = text_of(build, "result"), text_of(build, "url")
    if held(build, "building") is True or not result:
        return Found(RetrainState.RUNNING, "Jenkins is building", url=url)
    return Found(RetrainState.SUCCEEDED if result == "SUCCESS" else RetrainState.FAILED, f"Jenkins says `{result}`", url=url)


def _builds(wire: Wire, given: Mapping[str, str]) -> list[Any]:
    builds = held(read(_asked(wire, given, f"{_job(given)}/api/json?tree={quote(_BUILDS)}")), "builds")
    return builds if isinstance(builds, list) else []


def _has(item: Any, name: str) -> bool:
    """Whether a build or an item of the queue has the parameter `id` of this value."""
    actions = held(item, "actions")
    parameters = [one for action in actions or [] for one in held(action, "parameters") or []] if isinstance(actions, list) else []
    return any(held(one, "name") == "id" and held(one, "value") == name for one in parameters)


def _job(given: Mapping[str, str]) -> str:
    return "".join(f"/job/{quote(part, safe='')}" for part in given["job"].split("/"))


def _asked(wire: Wire, given: Mapping[str, str], path: str, form: str | None = None, now: int = 0, *, passed: int = 0) -> Reply:
    remedies = {
        400: f"let the job `{given['job']}` have the string parameters `id` and `request`",
        401: "check `username` and its API token",
        403: f"let the user `{given['username']}` read and build the job, by an API token and not a password, which needs a crumb",
        404: f"check that there is a job `{given['job']}`, and that the user may see it",
        405: f"let the job `{given['job']}` have the string parameters `id` and `request`",
        409: f"enable the job `{given['job']}`",
        500: f"let the job `{given['job']}` have the string parameters `id` and `request`",
    }
    headers = basic(given["username"], given["token"])
    headers |= {} if form is None else {"content-type": "application/x-www-form-urlencoded"}
    return call(
        wire, "GET" if form is None else "POST", given["url"] + path, headers, body=form, now=now, remedies=remedies, passed=[passed]
    )


KIND = Target("jenkins", ("url", "job", "username", "token", "token_file"), settings, dispatch, look, find)
