"""The kind `prefect`: a flow run of a deployment of Prefect 3, on a server of one's own or on Prefect Cloud.

It is idempotent: the id of the request is the idempotency key, for which Prefect makes one run of a flow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from alerts.destination import field
from alerts.retrain.target.call import authorization, call, credentials, held, run_of, text_of, word
from alerts.retrain.target.message import Dispatched, Found, Request, Target, Wire, read
from core.retrain import RetrainState

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STATES = {"COMPLETED": RetrainState.SUCCEEDED, **dict.fromkeys(("FAILED", "CRASHED", "CANCELLED"), RetrainState.FAILED)}


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` of the API, `deployment` as `flow/deployment` or by its id, the flow's `parameter` that gets the request, and credentials if the server asks for any."""
    return {
        "url": field.url(document.get("url"), "http://prefect.example.org:4200/api").rstrip("/"),
        "deployment": word(document, "deployment", "train/production", of=rf"{_UUID.pattern}|[^/\x00-\x1f]+/[^/\x00-\x1f]+"),
        "parameter": word(document, "parameter", "request", of=r"[A-Za-z_]\w*", default="request"),
        **credentials(document, optional=True),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Create a run of the deployment, named by the request."""
    headers, remedies = authorization(given), _remedies(given)
    deployment = given["deployment"]
    if not _UUID.fullmatch(deployment):
        named = f"{given['url']}/deployments/name/{'/'.join(quote(part, safe='') for part in deployment.split('/'))}"
        deployment = run_of(held(read(call(wire, "GET", named, headers, now=now, remedies=remedies)), "id"))
    body = {"name": request.id, "parameters": {given["parameter"]: request.data()}, "idempotency_key": request.id}
    reply = call(
        wire, "POST", f"{given['url']}/deployments/{quote(deployment)}/create_flow_run", headers, body=body, now=now, remedies=remedies
    )
    run = run_of(held(read(reply), "id"))
    return Dispatched(run, _page(given["url"], run))


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The state of the run: COMPLETED; FAILED, CRASHED and CANCELLED; all others go on."""
    reply = read(call(wire, "GET", f"{given['url']}/flow_runs/{quote(run)}", authorization(given), remedies=_remedies(given)))
    state = text_of(reply, "state_type")
    return Found(_STATES.get(state, RetrainState.RUNNING), f"Prefect says `{text_of(reply, 'state_name') or state}`")


def _page(url: str, run: str) -> str:
    """The page of a run: of a server of one's own, or of Prefect Cloud, whose API has the account and the workspace in its address."""
    cloud = re.fullmatch(r"https://api\.prefect\.cloud/api/accounts/([^/]+)/workspaces/([^/]+)", url)
    base = f"https://app.prefect.cloud/account/{cloud[1]}/workspace/{cloud[2]}" if cloud else url.removesuffix("/api")
    return f"{base}/runs/flow-run/{run}"


def _remedies(given: Mapping[str, str]) -> dict[int, str]:
    return {
        401: "write a `token` (an API key of Prefect Cloud), or `username` and `password`, as the server asks for",
        404: f"check that there is a deployment `{given['deployment']}`, and that `url` is that of the API, such as http://host:4200/api",
        **dict.fromkeys(
            (409, 422), f"let the flow have a parameter `{given['parameter']}`, which takes an object, and no other without a default"
        ),
    }


KIND = Target(
    "prefect",
    ("url", "deployment", "parameter", "token", "token_file", "username", "password", "password_file"),
    settings,
    dispatch,
    look,
    idempotent=True,
)
