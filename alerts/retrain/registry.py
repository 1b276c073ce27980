"""The model registry of MLflow: which version a registered model's alias names, asked by its REST API. It tells that a run has succeeded, and the version that it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from alerts.destination import field
from alerts.destination.message import Unanswered
from alerts.retrain.target.call import authorization, call, held, judged, word
from alerts.retrain.target.message import Found, Reply, Wire, read
from core import moment
from core.retrain import RetrainState

_TOKEN, _SECRET = ("registry_token", "registry_token_file"), ("registry_secret", "registry_secret_file")
FIELDS = ("registry_url", "registry_model", "registry_alias", *_TOKEN, *_SECRET)
_INVALID, _MISSING = 400, 404
_LONGEST = 200  # characters of a version
_REMEDIES = {
    400: "check `registry_model` and `registry_alias`",
    401: "write `registry_token`",
    403: "let the account of `registry_token` read the registered model",
    404: "check `registry_url`",
}
_MILLISECOND = moment.SECOND // 1_000


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`registry_url` of the tracking server, which is asked, the `registry_secret` of its webhooks, or both; the `registry_model`, its `registry_alias` and a token, if the server asks for one; nothing if a hook names no registry. ConfigError says what is missing."""
    there = {name for name in FIELDS if document.get(name) is not None}
    if not there:
        return {}
    token, secret = not there.isdisjoint(_TOKEN), not there.isdisjoint(_SECRET)
    asked = token or not secret or "registry_url" in there
    url = field.url(document.get("registry_url"), "https://mlflow.example.org", "registry_url").rstrip("/") if asked else ""
    return {
        **({"registry_url": url} if asked else {}),
        "registry_model": word(document, "registry_model", "flight-delay"),
        "registry_alias": word(document, "registry_alias", "champion", default="champion"),
        **(field.one_of(document, "registry_token", "write `registry_token_file: /run/secrets/mlflow`") if token else {}),
        **(field.one_of(document, "registry_secret", "write `registry_secret_file: /run/secrets/mlflow-webhook`") if secret else {}),
    }


def named(given: Mapping[str, str]) -> bool:
    """Whether settings name a registry that is asked."""
    return "registry_url" in given


def look(wire: Wire, given: Mapping[str, str], since: int) -> Found | None:
    """The version that the alias names, as that of a run which has succeeded; None without such an alias, and for a version that was there before `since` (microseconds).

    The time is that at which MLflow made the version, so an alias that goes back to an old version tells of no run. Raises what `Wire.ask` and `judged` raise.
    """
    name, alias = given["registry_model"], given["registry_alias"]
    url = f"{given['registry_url']}/api/2.0/mlflow/registered-models/alias?{urlencode({'name': name, 'alias': alias})}"
    token = {"token": given["registry_token"]} if "registry_token" in given else {}
    reply = call(wire, "GET", url, authorization(token), remedies=_REMEDIES, passed=(_INVALID, _MISSING))
    if _absent(reply):
        return None
    found = held(read(judged(reply, 0, _REMEDIES)), "model_version")
    version, made = held(found, "version"), held(found, "creation_timestamp")
    if not isinstance(version, str | int) or not str(made).isdecimal() or int(made) * _MILLISECOND < since:
        return None
    return Found(RetrainState.SUCCEEDED, f"the alias `{alias}` of `{name}` in MLflow names version {version}", str(version)[:_LONGEST])


def _absent(reply: Reply) -> bool:
    """Whether MLflow says that there is no such model, which is 404, or no such alias, which is 400 as a wrong name is. A 404 of another server is neither."""
    if reply.status not in {_INVALID, _MISSING}:
        return False
    try:
        said = read(reply)
    except Unanswered:
        return False
    if reply.status == _MISSING:
        return isinstance(held(said, "error_code"), str)
    return "not found" in str(held(said, "message"))
