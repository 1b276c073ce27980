"""The kind `github`: a run of a workflow of GitHub Actions, by a workflow dispatch.

GitHub has no key by which it would know a dispatch again. A dispatch whose answer is not known is not made again: its run is looked for by the id of the request, which the workflow has to show in its `run-name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from alerts import retry
from alerts.destination import field
from alerts.retrain.target.call import authorization, call, held, judged, run_of, text_of, word
from alerts.retrain.target.message import Busy, Dispatched, Found, Reply, Request, Target, Wire, read
from core import moment
from core.retrain import RetrainState

_API = "https://api.github.com"
_FORBIDDEN, _NO_CONTENT = 403, 204
_LONGEST = 65_000  # characters of an input: all inputs together may have 65,535
_RUNS = 100  # the newest runs among which one is looked for


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`repository`, `workflow` (its file, or its id), `ref`, a token, and `url` of the API of a server of one's own."""
    return {
        "url": field.url(document.get("url", _API), "https://github.example.org/api/v3").rstrip("/"),
        "repository": word(document, "repository", "acme/models", of=r"[\w.-]+/[\w.-]+"),
        "workflow": word(document, "workflow", "train.yml", of=r"[\w.-]+"),
        "ref": word(document, "ref", "main", default="main"),
        **field.one_of(document, "token", "write `token_file: /run/secrets/github`"),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Dispatch the workflow with the inputs `id` and `request`, the data as JSON. An older server does not tell the run, and only the callback or the first event of a new version does."""
    inputs = {"id": request.id, "request": _data(request)}
    body = {"ref": given["ref"], "inputs": inputs, "return_run_details": True}
    reply = _asked(wire, given, "POST", f"workflows/{quote(given['workflow'])}/dispatches", body, now)
    if reply.status == _NO_CONTENT:
        return Dispatched()
    told = read(reply)
    return Dispatched(run_of(held(told, "workflow_run_id")), text_of(told, "html_url"))


def find(wire: Wire, given: Mapping[str, str], request: Request) -> Dispatched | None:
    """The run whose name holds the id of the request, among the last ones."""
    runs = held(
        read(_asked(wire, given, "GET", f"workflows/{quote(given['workflow'])}/runs?event=workflow_dispatch&per_page={_RUNS}")),
        "workflow_runs",
    )
    for run in runs if isinstance(runs, list) else []:
        if request.id in (text_of(run, "display_title") or text_of(run, "name")).split():
            return Dispatched(run_of(held(run, "id")), text_of(run, "html_url"))
    return None


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The status of the run; once it is `completed`, its conclusion."""
    told = read(_asked(wire, given, "GET", f"runs/{quote(run)}"))
    status, conclusion = text_of(told, "status"), text_of(told, "conclusion")
    if status != "completed":
        return Found(RetrainState.RUNNING, f"GitHub says `{status}`", url=text_of(told, "html_url"))
    state = RetrainState.SUCCEEDED if conclusion == "success" else RetrainState.FAILED
    return Found(state, f"GitHub says `{conclusion}`", url=text_of(told, "html_url"))


def _data(request: Request) -> str:
    """The data as JSON, with as many of the episodes as GitHub takes: a change of the world fires thousands of monitors."""
    data = request.data()
    while len(text := msgspec.json.encode(data).decode()) > _LONGEST and data["episodes"]:
        data["episodes"] = data["episodes"][: len(data["episodes"]) // 2]
    return text


def _asked(wire: Wire, given: Mapping[str, str], method: str, path: str, body: Any = None, now: int = 0) -> Reply:
    headers = {**authorization(given), "accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
    remedies = {
        401: "check the token, which may have expired",
        403: f"give the token the permission `Actions: write` for {given['repository']}",
        404: f"check `repository` and `workflow`, and that the token may see {given['repository']}",
        422: f"let the workflow on `{given['ref']}` have `on: workflow_dispatch` with the inputs `id` and `request`",
    }
    url = f"{given['url']}/repos/{given['repository']}/actions/{path}"
    reply = call(wire, method, url, headers, body=body, now=now, remedies=remedies, passed=[_FORBIDDEN])
    if reply.status == _FORBIDDEN:
        if (after := _limited(reply, now)) is not None:
            raise Busy("GitHub's limit of requests is reached", after)
        return judged(reply, now, remedies)
    return reply


def _limited(reply: Reply, now: int) -> int | None:
    """How long to wait (microseconds) if a 403 is about a limit of requests, None if it is about rights."""
    if after := retry.asked(reply.headers.get("retry-after"), now):
        return after
    if reply.headers.get("x-ratelimit-remaining") != "0":
        return None
    reset = reply.headers.get("x-ratelimit-reset", "")
    return max(0, min(int(reset) * moment.SECOND - now, moment.DAY)) if reset.isdecimal() and len(reset) < 12 else moment.MINUTE


KIND = Target("github", ("url", "repository", "workflow", "ref", "token", "token_file"), settings, dispatch, look, find)
