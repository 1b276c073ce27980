"""The kind `webhook`: HTTP requests, signed as Standard Webhooks describes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerts.destination.message import Answer, DestinationKind, Message, Transport, Unsent
from core import moment
from core.episode import Delivery
from core.error import ConfigError

_MAKE_SECRET = "make one with: python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url`, and one of `secret` (`whsec_...`) and `secret_file` (its path, read at each sending)."""
    return {"url": _url(document.get("url")), **_secret(document)}


def render(given: Mapping[str, str], delivery: Delivery, now: int) -> Message:
    """The notification as it is, signed by HMAC-SHA256 of `id.timestamp.body`; the timestamp is that of the attempt."""
    try:
        key = _key(Path(given["secret_file"]).read_text().strip() if "secret_file" in given else given["secret"])
    except OSError as error:
        raise Unsent(f"the secret's file cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Unsent(str(error)) from None
    seconds = str(now // moment.SECOND)
    digest = hmac.digest(key, f"{delivery.id}.{seconds}.{delivery.body}".encode(), hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": delivery.id, "webhook-timestamp": seconds, "webhook-signature": signature, "content-type": "application/json"}
    return Message(given["url"], delivery.body, headers)


def send(wire: Transport, message: Message) -> Answer:
    """POST it."""
    return wire.post(*message)


def _key(secret: str) -> bytes:
    """The key in a `whsec_...` secret. Raises ValueError, which does not hold the text, if it is not such a secret."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else b""
    except binascii.Error:
        key = b""
    if len(key) < 16:
        raise ValueError("the secret is not `whsec_` and at least 16 bytes of base64")
    return key


def _url(url: object) -> str:
    remedy = "write an address such as https://example.org/hook"
    if not isinstance(url, str):
        raise ConfigError("`url` is missing", remedy=remedy)
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good or any(character <= " " for character in url):
        raise ConfigError("`url` is not an http or https address", remedy=remedy)
    return url


def _secret(document: Mapping[str, Any]) -> dict[str, str]:
    secret, file = document.get("secret"), document.get("secret_file")
    if (secret is None) == (file is None):
        raise ConfigError("write one of `secret` and `secret_file`", remedy=_MAKE_SECRET)
    if file is not None:
        if not isinstance(file, str) or not PurePath(file).is_absolute():
            raise ConfigError("`secret_file` is no absolute path", remedy="write a path such as /run/secrets/oncall")
        return {"secret_file": file}
    try:
        _key(secret if isinstance(secret, str) else "")
    except ValueError as error:
        raise ConfigError(f"`secret`: {error}", remedy=_MAKE_SECRET) from None
    return {"secret": str(secret)}


KIND = DestinationKind("webhook", ("url", "secret", "secret_file"), settings, render, send)
