"""Owner, description and runbook of a definition: who is responsible, what it is for, and what to do when it fires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.error import ConfigError

LONGEST_OWNER, LONGEST_DESCRIPTION, LONGEST_RUNBOOK = 200, 2_000, 2_000  # characters


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """Carried by monitors, contracts and destinations, and copied to episodes. `runbook` is an http(s) address. None of it changes what is measured."""

    owner: str | None = None
    description: str | None = None
    runbook: str | None = None

    @property
    def words(self) -> dict[str, Any]:
        """The three fields by name."""
        return {name: getattr(self, name) for name in READERS}


def _owner(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_OWNER or not value.isprintable():
        raise ConfigError("`owner` is no name", remedy=f"write 1 to {LONGEST_OWNER} printable characters, such as `owner: pricing team`")
    return value


def _description(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_DESCRIPTION or "\0" in value:
        raise ConfigError("`description` is no text", remedy=f"write up to {LONGEST_DESCRIPTION} characters, in quotes")
    return value


def _runbook(value: object) -> str:
    remedy = "write an address such as https://wiki.example.org/drift"
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not isinstance(value, str) or not good or len(value) > LONGEST_RUNBOOK or any(character <= " " for character in value):
        raise ConfigError("`runbook` is not an http or https address", remedy=remedy)
    return value


READERS: Mapping[str, Callable[[object], str]] = {"owner": _owner, "description": _description, "runbook": _runbook}
"""By field its reader, which checks what was written and raises ConfigError."""


def described(document: Mapping[str, Any]) -> dict[str, str]:
    """The three fields, checked, as far as a document has them."""
    return {name: read(document[name]) for name, read in READERS.items() if document.get(name) is not None}
