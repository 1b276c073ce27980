"""The kind `pagerduty`: the Events API v2 of PagerDuty (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/).

An episode or group is one incident: its id is the dedup key. What fires triggers it, what ends resolves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.destination.field import one_of, url
from alerts.destination.message import DestinationKind, Message, Unsent, post
from alerts.destination.notice import Notice, cut
from alerts.destination.template import template, told
from core.episode import Delivery
from core.error import ConfigError

_EVENTS = "https://events.pagerduty.com/v2/enqueue"
_SUMMARY, _DEDUP, _KEY = 1_024, 255, 32  # characters
_SEVERITY = {"critical": "critical", "warn": "warning"}
_REMEDY = "write the integration key of an `Events API V2` integration, which has 32 letters and digits"


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`routing_key` or `routing_key_file`; `url` if it is not that of the service region US."""
    given = one_of(document, "routing_key", _REMEDY)
    if "routing_key" in given and not _is_key(given["routing_key"]):
        raise ConfigError("`routing_key` is no integration key", remedy=_REMEDY)
    return {**given, **template(document), "url": url(document.get("url", _EVENTS), "https://events.eu.pagerduty.com/v2/enqueue")}


def render(given: Mapping[str, str], delivery: Delivery, _now: int) -> Message:
    """An event."""
    key = given["routing_key"]
    if not _is_key(key):
        raise Unsent("the routing_key's file holds no integration key of 32 letters and digits")
    body = msgspec.json.encode(event(told(given, delivery), key)).decode()
    return Message(given["url"], body, {"content-type": "application/json"})


def event(said: Notice, key: str) -> dict[str, Any]:
    """The event: a trigger with what there is to know, or a resolution."""
    named = {"routing_key": key, "dedup_key": said.key[:_DEDUP]}
    if said.ended:
        return {**named, "event_action": "resolve"}
    labels = dict(said.labels)
    return {
        **named,
        "event_action": "trigger",
        "client": "Watchkeeper",
        **({"client_url": said.links[0][1]} if said.links else {}),
        "links": [{"href": to, "text": words} for words, to in said.links],
        "payload": {
            "summary": cut(f"{said.title}. {said.sentence}", _SUMMARY),
            "source": said.model or "watchkeeper",
            "severity": _SEVERITY.get(said.level, "info"),
            "timestamp": said.timestamp,
            **({"component": labels["column"]} if "column" in labels else {}),
            **({"group": said.model} if said.model else {}),
            **({"class": labels["measure"]} if "measure" in labels else {}),
            "custom_details": {**labels, **dict(said.facts), **({"most of it": list(said.lines)} if said.lines else {})},
        },
    }


def _is_key(key: str) -> bool:
    return len(key) == _KEY and key.isascii() and key.isalnum()


KIND = DestinationKind(
    "pagerduty", ("routing_key", "routing_key_file", "url", "template"), settings, render, post, incidents=True, links=True
)
