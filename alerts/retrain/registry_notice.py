"""What the model registry of MLflow tells by its webhooks: that an alias names a version. It tells the same as asking does (`alerts.retrain.registry`), without a way from here to MLflow."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from alerts.retrain.machine import UNDER_WAY, report
from alerts.retrain.target.call import held
from core import moment
from core.error import ConfigError, Forbidden
from core.retrain import Retrain, RetrainState

SETTINGS = ("registry_model", "registry_alias", "registry_secret", "registry_secret_file")  # of a hook, all that a notice needs
_FRESH = 5 * moment.MINUTE
_ENTITY, _ACTION = "model_version_alias", "created"


class Notice(NamedTuple):
    """A webhook as it came: the headers `X-MLflow-Delivery-Id`, `X-MLflow-Timestamp` (seconds) and `X-MLflow-Signature`, and the body."""

    delivery: str
    timestamp: str
    signature: str
    body: bytes


def version_of(notice: Notice, given: Mapping[str, str], now: int) -> str | None:
    """The version that the alias of a hook names now; None if the notice is of another event, model or alias. `given` are the hook's settings, with its secret.

    The signature is `v1,` and the base64 of the HMAC-SHA256, by the secret, over delivery id, timestamp and body with points between them, as MLflow 3 documents. Raises Forbidden for another one, and for
    one that is older than five minutes; ConfigError for a body that cannot be read.
    """
    secret = given.get("registry_secret", "")
    said = f"{notice.delivery}.{notice.timestamp}.".encode(errors="replace") + notice.body
    wanted = "v1," + base64.b64encode(hmac.digest(secret.encode(), said, hashlib.sha256)).decode()
    if not secret or not hmac.compare_digest(wanted.encode(), notice.signature.encode(errors="replace")):
        raise Forbidden("the signature is not that of the hook's `registry_secret`", remedy="give MLflow's webhook the same secret")
    if abs(now - at(notice)) > _FRESH:
        raise Forbidden("the webhook is older than five minutes", remedy="let the clocks of MLflow and of this server agree")
    try:
        told = msgspec.json.decode(notice.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ConfigError("the body is no JSON", remedy="send what MLflow sends") from None
    data = held(told, "data")
    named = (held(told, "entity"), held(told, "action"), held(data, "name"), held(data, "alias"))
    if named != (_ENTITY, _ACTION, given["registry_model"], given["registry_alias"]):
        return None
    return str(held(data, "version") or "") or None


def at(notice: Notice) -> int:
    """When it was sent, to the second; 0 if it does not say."""
    return int(notice.timestamp) * moment.SECOND if notice.timestamp.isdecimal() and len(notice.timestamp) < 12 else 0


def told(request: Retrain, version: str, sent: int, alias: str, now: int) -> Retrain:
    """The request after its alias was given to a version: its run has succeeded. A version that had events before the target was asked tells nothing, because an alias may go back to it, and neither does what was sent before then."""
    dispatched = request.dispatched_at
    if request.state not in UNDER_WAY or dispatched is None or sent + moment.SECOND <= dispatched or version in request.known:
        return request
    said = f"a webhook of MLflow says that the alias `{alias}` names version {version}"
    return report(request, RetrainState.SUCCEEDED, now, {"version": version}, by="MLflow", said=said)
