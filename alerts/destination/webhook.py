"""The kind `webhook`: HTTP requests, signed as Standard Webhooks describes, with the attributes of CloudEvents as headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from alerts.destination.cloud_event import attributes
from alerts.destination.field import one_of, url
from alerts.destination.message import DestinationKind, Message, Unsent, post
from core import moment
from core.episode import Delivery
from core.error import ConfigError

_MAKE_SECRET = "make one with: python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
_MOST_SECRETS = 4


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url`, and one of `secret` and `secret_file` (its path, read at each sending).

    A secret is `whsec_...`; while it is rotated there are several: a list, or one on each line of the file.
    """
    return {"url": url(document.get("url")), **_secret(document)}


def render(given: Mapping[str, str], delivery: Delivery, now: int) -> Message:
    """The notification as it is, signed with each secret by HMAC-SHA256 of `id.timestamp.body`; the timestamp is that of the attempt."""
    try:
        keys = _keys(given["secret"])
    except ValueError as error:
        raise Unsent(str(error)) from None
    seconds = str(now // moment.SECOND)
    signed = f"{delivery.id}.{seconds}.{delivery.body}".encode()
    signatures = ["v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    headers = {"webhook-id": delivery.id, "webhook-timestamp": seconds, "webhook-signature": " ".join(signatures)}
    events = {f"ce-{name}": said for name, said in attributes(delivery).items()}
    return Message(given["url"], delivery.body, {**headers, **events, "content-type": "application/json"})


def _keys(secrets: str) -> list[bytes]:
    """The keys of secrets with spaces or line ends between them. Raises ValueError, which does not hold the text, if one is no secret."""
    keys = [_key(secret) for secret in secrets.split()] or [_key("")]
    if len(keys) > _MOST_SECRETS:
        raise ValueError(f"there are more than {_MOST_SECRETS} secrets")
    return keys


def _key(secret: str) -> bytes:
    """The key in a `whsec_...` secret. Raises ValueError, which does not hold the text, if it is not such a secret."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else b""
    except binascii.Error:
        key = b""
    if len(key) < 16:
        raise ValueError("the secret is not `whsec_` and at least 16 bytes of base64")
    return key


def _secret(document: Mapping[str, Any]) -> dict[str, str]:
    secrets = document.get("secret")
    if isinstance(secrets, list):  # several while one takes the place of another
        document = {**document, "secret": " ".join(one if isinstance(one, str) and one.split() == [one] else "-" for one in secrets)}
    elif isinstance(secrets, str) and secrets.split() != [secrets]:
        document = {**document, "secret": "-"}
    given = one_of(document, "secret", _MAKE_SECRET)
    try:
        if "secret" in given:
            _keys(given["secret"])
    except ValueError as error:
        raise ConfigError(f"`secret`: {error}", remedy=_MAKE_SECRET) from None
    return given


KIND = DestinationKind("webhook", ("url", "secret", "secret_file"), settings, render, post, links=False)
