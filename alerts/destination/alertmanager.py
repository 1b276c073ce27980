"""The kind `alertmanager`: alerts for the API v2 of Prometheus' Alertmanager (`POST /api/v2/alerts`), which groups, routes and silences them.

Alertmanager forgets an alert that nobody sends again. So `alerts.resend` sends those that are open again and again, with an end that lies a little ahead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alerts.destination.field import address, url_or_file
from alerts.destination.message import DestinationKind, Message, post
from alerts.destination.notice import Notice
from alerts.destination.template import template, told
from core import moment
from core.episode import TEST, Delivery

_AHEAD = 5 * moment.MINUTE  # an alert that is not sent again ends after so long
_NAME = re.compile(r"[^A-Za-z0-9_]")


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` or `url_file`: where Alertmanager is, without `/api/v2/alerts`."""
    return {**url_or_file(document, "http://alertmanager.internal:9093"), **template(document)}


def render(given: Mapping[str, str], delivery: Delivery, now: int) -> Message:
    """A list of one alert."""
    return again(given, [delivery], now)


def again(given: Mapping[str, str], deliveries: Sequence[Delivery], now: int) -> Message:
    """A list of alerts, one for each notification."""
    alerts = [alert(told(given, one), now) for one in deliveries if one.type != TEST or len(deliveries) == 1]
    return Message(
        address(given).rstrip("/") + "/api/v2/alerts", msgspec.json.encode(alerts).decode(), {"content-type": "application/json"}
    )


def alert(said: Notice, now: int) -> dict[str, Any]:
    """The alert. Its labels are the same as long as the episode lasts: they are what Alertmanager knows it by."""
    labels = {
        "alertname": dict(said.labels).get("monitor", "watchkeeper"),
        "model": said.model,
        "watchkeeper_id": said.key,
        "severity": said.severity,
    }
    labels |= {_NAME.sub("_", name): value for name, value in said.labels if name != "monitor"}
    ends = moment.parse(said.timestamp) if said.ended else now + _AHEAD
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {
            "summary": said.title,
            "description": said.sentence,
            **{_NAME.sub("_", name.lower()): value for name, value in said.facts},
            "level": said.level,
            **({"runbook_url": runbook} if (runbook := dict(said.links).get("Runbook")) else {}),
        },
        "startsAt": said.since,
        "endsAt": moment.text(ends),
        **({"generatorURL": said.links[0][1]} if said.links else {}),
    }


KIND = DestinationKind("alertmanager", ("url", "url_file", "template"), settings, render, post, again=again, incidents=True)
