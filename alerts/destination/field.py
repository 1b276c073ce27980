"""Fields that several kinds of destinations have: addresses, and secrets that may be in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerts.destination.message import Unsent
from core.error import ConfigError

_EXAMPLE = "https://example.org/hook"


def url(address: object, example: str = _EXAMPLE, name: str = "url") -> str:
    """An http or https address; ConfigError with the field's name if it is none."""
    remedy = f"write an address such as {example}"
    if not isinstance(address, str):
        raise ConfigError(f"`{name}` is missing", remedy=remedy)
    if not is_url(address):
        raise ConfigError(f"`{name}` is not an http or https address", remedy=remedy)
    return address


def is_url(address: str) -> bool:
    """Whether a text is an http or https address."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(address).host)
    except (ValueError, httpx.InvalidURL):
        return False
    return good and not any(character <= " " for character in address)


def one_of(document: Mapping[str, Any], name: str, remedy: str) -> dict[str, str]:
    """The field `name`, or `name_file`: the absolute path of a file that holds it. ConfigError unless exactly one of them is a text."""
    value, file = document.get(name), document.get(f"{name}_file")
    if (value is None) == (file is None):
        raise ConfigError(f"write one of `{name}` and `{name}_file`", remedy=remedy)
    if file is not None:
        if not isinstance(file, str) or not PurePath(file).is_absolute() or "\0" in file:
            raise ConfigError(f"`{name}_file` is no absolute path", remedy="write a path such as /run/secrets/oncall")
        return {f"{name}_file": file}
    if not isinstance(value, str) or not value:
        raise ConfigError(f"`{name}` is no text", remedy=remedy)
    return {name: value}


def url_or_file(document: Mapping[str, Any], example: str) -> dict[str, str]:
    """`url` or `url_file`."""
    given = one_of(document, "url", f"write an address such as {example}")
    return {"url": url(given["url"], example)} if "url" in given else given


def address(given: Mapping[str, str]) -> str:
    """The address of `url`, which may be from a file. Raises Unsent if that holds none."""
    if not is_url(given["url"]):
        raise Unsent("the url's file holds no http or https address")
    return given["url"]
