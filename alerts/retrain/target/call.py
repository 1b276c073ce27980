"""Questions to the HTTP API of a target, and the fields that several kinds of targets have. An error of the API says what to do about it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alerts.destination.field import one_of
from alerts.destination.message import Rejected, Unanswered, Unsent
from alerts.retrain.target.message import Reply, Wire, checked
from core.error import ConfigError

CONFLICT = 409
Remedies = Mapping[int, str]
_REMEDIES: Remedies = {
    401: "check the hook's credentials",
    403: "let the account of the hook's credentials start and read runs",
    404: "check the hook's url, and the name of what it runs",
    429: "the target is asked again later; ask for less often if that goes on",
}
_MOST = 500  # characters of a field
_JSON = {"content-type": "application/json", "accept": "application/json"}


def call(
    wire: Wire,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    body: Any = None,
    now: int = 0,
    remedies: Remedies = _REMEDIES,
    passed: Sequence[int] = (),
) -> Reply:
    """The reply to a question whose body is JSON, or a text that is sent as it is; None: without a body. Raises what `judged` raises, unless the status is one of `passed`."""
    text = body if isinstance(body, str) else "" if body is None else msgspec.json.encode(body).decode()
    reply = wire.ask(method, url, text, {**_JSON, **headers})
    return reply if reply.status in passed else judged(reply, now, remedies)


def judged(reply: Reply, now: int, remedies: Remedies) -> Reply:
    """The reply, if it is a success. Raises what `checked` raises, with the remedy for its status; 409 is a refusal, after which nothing was begun."""
    try:
        if reply.status == CONFLICT:
            raise Rejected(f"the target answered {reply.status}")
        return checked(reply, now)
    except Unsent as error:
        if remedy := remedies.get(reply.status) or _REMEDIES.get(reply.status):
            error.args = (f"{error}: {remedy}",)
        raise


def word(document: Mapping[str, Any], name: str, example: str, *, of: str = r"[^\x00-\x1f\x7f]+", default: str | None = None) -> str:
    """A field that is a text of a form. ConfigError if it is missing and has no default, or is none."""
    value = document.get(name, default)
    remedy = f"write `{name}: {example}`"
    if value is None:
        raise ConfigError(f"`{name}` is missing", remedy=remedy)
    if not isinstance(value, str) or not re.fullmatch(of, value) or len(value) > _MOST:
        raise ConfigError(f"`{name}` is not such a text", remedy=remedy)
    return value


def words(document: Mapping[str, Any], examples: Mapping[str, str]) -> dict[str, str]:
    """Optional fields that are texts, those that are there."""
    return {name: word(document, name, example) for name, example in examples.items() if document.get(name) is not None}


def credentials(document: Mapping[str, Any], *, optional: bool = False) -> dict[str, str]:
    """A `token`, or a `username` and its `password`; each secret may be in a file. ConfigError for both, and for none unless that is allowed."""
    token = any(name in document for name in ("token", "token_file"))
    person = any(name in document for name in ("username", "password", "password_file"))
    if token and person:
        raise ConfigError("both a token and a username are given", remedy="write one of them")
    if person:
        return {
            "username": word(document, "username", "watchkeeper"),
            **one_of(document, "password", "write `password_file: /run/secrets/target`"),
        }
    return {} if optional and not token else one_of(document, "token", "write `token_file: /run/secrets/target`")


def authorization(given: Mapping[str, str]) -> dict[str, str]:
    """The header for credentials: Bearer for a token, Basic for a username and password, none without either."""
    if "token" in given:
        return {"authorization": f"Bearer {given['token']}"}
    return basic(given["username"], given["password"]) if "username" in given else {}


def basic(username: str, password: str) -> dict[str, str]:
    """The header of Basic authentication."""
    return {"authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def held(document: Any, *names: str) -> Any:
    """What is under these names in nested objects, None where one is missing."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def run_of(value: Any) -> str:
    """The id of a run in an answer. Raises Unanswered if it is none: a run may have begun, and is not known."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= _MOST:
        raise Unanswered("the target's answer does not name the run")
    return str(value)


def text_of(document: Any, *names: str) -> str:
    """A text in an answer, "" where it has none."""
    value = held(document, *names)
    return value[:2_000] if isinstance(value, str) else ""


def short(value: str, most: int, what: str) -> str:
    """The value, if it is not longer than the target takes. Raises Rejected else."""
    if len(value) > most:
        raise Rejected(
            f"{what} has {len(value)} characters, and the target takes {most}: shorten the setting `address` or the model's name"
        )
    return value
