"""Destinations as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from alerts.destination.kind import kind
from alerts.destination.secret_file import SecretFiles
from alerts.guard import Guard, Refused
from core.described import READERS, described
from core.destination import EVENTS, Destination
from core.error import ConfigError
from core.monitor import Severity

_FIELDS = ("destination", "kind", "models", "severity", "events", "enabled", *READERS)


def destination_from(document: dict[str, Any], guard: Guard | None = None, files: SecretFiles | None = None) -> Destination:
    """The destination that a document defines. ConfigError names the field at fault and what to write instead.

    With a guard an address in numbers to which nothing may be sent is such a fault. A name is judged when it is connected to. With `files` so is a file that may
    not be read.
    """
    name = document.get("destination")
    if not isinstance(name, str) or not name:
        raise ConfigError("`destination` is missing: the destination's name", remedy="write `destination: oncall`")
    try:
        read = _read(name, document)
        if guard is not None:
            judge(read.settings, guard)
        if files is not None:
            files.check(read.settings)
    except ConfigError as error:
        raise ConfigError(f"destination `{name}`: {error.message}", remedy=error.remedy) from None
    return read


def judge(settings: Mapping[str, str], guard: Guard) -> None:
    """Raise ConfigError if an address of settings is one in numbers that is not allowed."""
    for name in (one for one in settings if one.endswith("url")):
        url = httpx.URL(settings[name])
        try:
            guard.check_literal(url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0))
        except Refused as refused:
            remedy = "write another address, or have the operator add this one to alerts.allow, if it may be added"
            raise ConfigError(f"`{name}`: {refused}", remedy=remedy) from None


def _read(name: str, document: dict[str, Any]) -> Destination:
    of = kind(document.get("kind", "webhook"))
    known = (*_FIELDS, *of.fields, *(("links",) if of.links is not None else ()))
    for field in document:
        if field not in known:
            raise ConfigError(f"there is no field `{field}`", remedy="fields: " + ", ".join(known))
    return Destination(
        name=name,
        kind=of.name,
        settings=of.settings(document),
        models=_models(document.get("models")),
        severity=_severity(document.get("severity", "report")),
        events=_events(document.get("events")),
        enabled=_enabled(document.get("enabled")),
        links=_links(document.get("links")),
        **described(document),
    )


def _models(models: object) -> tuple[str, ...]:
    if models is None:
        return ()
    if not isinstance(models, list) or not models or not all(isinstance(model, str) and model for model in models):
        raise ConfigError("`models` is not a list of names", remedy="write `models: [taxi-fare]`, or leave it out for all")
    return tuple(models)


def _events(events: object) -> tuple[str, ...]:
    if events is None:
        return EVENTS[:1]
    if not isinstance(events, list) or not events or any(event not in EVENTS for event in events):
        raise ConfigError(
            f"`events` is not a list of {', '.join(EVENTS)}", remedy="write `events: [episode, system]`, or leave it out for episodes"
        )
    return tuple(event for event in EVENTS if event in events)


def _enabled(enabled: object) -> bool:
    if enabled is None or isinstance(enabled, bool):
        return enabled is not False
    raise ConfigError(f"`enabled` {enabled!r} is neither true nor false", remedy="write `enabled: false` to pause it")


def _links(links: object) -> bool | None:
    if links is None or isinstance(links, bool):
        return links
    raise ConfigError(f"`links` {links!r} is neither true nor false", remedy="write `links: false` for notices without links that act")


def _severity(severity: object) -> Severity:
    try:
        return Severity(severity)  # type: ignore[arg-type]
    except ValueError:
        raise ConfigError(f"`severity` {severity!r} is none", remedy="write report, ticket or page") from None
