"""The kind `airflow`: a run of a DAG of Airflow 3, by its REST API v2.

It is idempotent: the id of the request is the id of the run, and Airflow refuses a second run of that id with 409.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from alerts.destination import field
from alerts.destination.message import Rejected
from alerts.retrain.target.call import CONFLICT, authorization, call, credentials, held, text_of, word
from alerts.retrain.target.message import Dispatched, Found, Request, Target, Wire, read
from core.retrain import RetrainState

_NOTE = 1_000  # characters
_STATES = {"success": RetrainState.SUCCEEDED, "failed": RetrainState.FAILED}


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` of the webserver, `dag`, and a token, or a username and its password."""
    return {
        "url": field.url(document.get("url"), "https://airflow.example.org").rstrip("/"),
        "dag": word(document, "dag", "train_delay", of=r"[\w.~:+-]+"),
        **credentials(document),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Trigger the DAG; `dag_run.conf` is the data of the request."""
    body = {"dag_run_id": request.id, "logical_date": None, "conf": request.data(), "note": request.reason[:_NOTE]}
    headers, runs = _entered(wire, given, now), _runs(given)
    reply = call(wire, "POST", runs, headers, body=body, now=now, remedies=_remedies(given), passed=[CONFLICT])
    if reply.status == CONFLICT:
        there = call(wire, "GET", f"{runs}/{quote(request.id, safe='')}", headers, now=now, remedies=_remedies(given))
        if held(read(there), "conf", "id") != request.id:
            raise Rejected(f"Airflow has a run {request.id} of another origin: delete it there")
    return Dispatched(request.id, f"{given['url']}/dags/{quote(given['dag'])}/runs/{quote(request.id)}")


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The state of the run: `queued` and `running`, `success`, `failed`."""
    reply = call(wire, "GET", f"{_runs(given)}/{quote(run, safe='')}", _entered(wire, given, 0), remedies=_remedies(given))
    state = text_of(read(reply), "state")
    return Found(_STATES.get(state, RetrainState.RUNNING), f"Airflow says `{state}`")


def _runs(given: Mapping[str, str]) -> str:
    return f"{given['url']}/api/v2/dags/{quote(given['dag'], safe='')}/dagRuns"


def _entered(wire: Wire, given: Mapping[str, str], now: int) -> dict[str, str]:
    """The header of a token: of one that was given, or of one that Airflow gives for a username and password."""
    if "token" in given:
        return authorization(given)
    person = {name: given[name] for name in ("username", "password")}
    reply = read(call(wire, "POST", f"{given['url']}/auth/token", {}, body=person, now=now))
    token = text_of(reply, "access_token") or text_of(reply, "jwt_token")
    if not token:
        raise Rejected("Airflow gave no token for the username: write a token instead, as its auth manager gives them")
    return authorization({"token": token})


def _remedies(given: Mapping[str, str]) -> dict[int, str]:
    return {
        401: "the token has expired: write another one, or a username and password instead",
        403: f"let the account trigger and read runs of the DAG `{given['dag']}`" + (", and check the token" if "token" in given else ""),
        404: f"check that Airflow has parsed a DAG `{given['dag']}`, and that `url` has no path such as /api",
    }


KIND = Target(
    "airflow", ("url", "dag", "token", "token_file", "username", "password", "password_file"), settings, dispatch, look, idempotent=True
)
