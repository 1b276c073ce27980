"""Destinations as people write them."""

from __future__ import annotations

import base64
import binascii
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.destination import Destination
from core.error import ConfigError
from core.monitor import Severity

_FIELDS = ("destination", "kind", "url", "secret", "secret_file", "models", "severity")
_PLANNED = ("slack", "teams", "pagerduty", "alertmanager", "email", "kafka")
_MAKE_SECRET = "make one with: python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""


def destination_from(document: dict[str, Any]) -> Destination:
    """The destination that a document defines. ConfigError names the field at fault and what to write instead."""
    name = document.get("destination")
    if not isinstance(name, str) or not name:
        raise ConfigError("`destination` is missing: the destination's name", remedy="write `destination: oncall`")
    for field in document:
        if field not in _FIELDS:
            raise ConfigError(f"destination `{name}`: there is no field `{field}`", remedy="fields: " + ", ".join(_FIELDS))
    _check_kind(name, document.get("kind", "webhook"))
    secret, secret_file = _secret(name, document)
    return Destination(
        name=name,
        url=_url(name, document.get("url")),
        secret=secret,
        secret_file=secret_file,
        models=_models(name, document.get("models")),
        severity=_severity(name, document.get("severity", "report")),
    )


def check_secret(secret: str) -> bytes:
    """The key of a `whsec_...` secret; ValueError, without the secret in it, if it is none."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else b""
    except binascii.Error:
        key = b""
    if len(key) < 16:
        raise ValueError("the secret is not `whsec_` and at least 16 bytes of base64")
    return key


def _check_kind(name: str, kind: object) -> None:
    if kind in _PLANNED:
        raise ConfigError(f"destination `{name}`: `kind: {kind}` is not available yet", remedy="available: webhook")
    if kind != "webhook":
        raise ConfigError(f"destination `{name}`: there is no `kind` {kind!r}", remedy="available: webhook")


def _url(name: str, url: object) -> str:
    remedy = "write an address such as https://example.org/hook"
    if not isinstance(url, str):
        raise ConfigError(f"destination `{name}`: `url` is missing", remedy=remedy)
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good or any(character <= " " for character in url):
        raise ConfigError(f"destination `{name}`: `url` is not an http or https address", remedy=remedy)
    return url


def _secret(name: str, document: dict[str, Any]) -> tuple[str, str]:
    secret, file = document.get("secret"), document.get("secret_file")
    if (secret is None) == (file is None):
        raise ConfigError(f"destination `{name}`: write one of `secret` and `secret_file`", remedy=_MAKE_SECRET)
    if file is not None:
        if not isinstance(file, str) or not PurePath(file).is_absolute():
            raise ConfigError(f"destination `{name}`: `secret_file` is no absolute path", remedy="write a path such as /run/secrets/oncall")
        return "", file
    try:
        check_secret(secret if isinstance(secret, str) else "")
    except ValueError as error:
        raise ConfigError(f"destination `{name}`: `secret`: {error}", remedy=_MAKE_SECRET) from None
    return str(secret), ""


def _models(name: str, models: object) -> tuple[str, ...]:
    if models is None:
        return ()
    if not isinstance(models, list) or not models or not all(isinstance(model, str) and model for model in models):
        raise ConfigError(
            f"destination `{name}`: `models` is not a list of names", remedy="write `models: [taxi-fare]`, or leave it out for all"
        )
    return tuple(models)


def _severity(name: str, severity: object) -> Severity:
    try:
        return Severity(severity)  # type: ignore[arg-type]
    except ValueError:
        raise ConfigError(f"destination `{name}`: `severity` {severity!r} is none", remedy="write report, ticket or page") from None
