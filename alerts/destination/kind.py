"""The kinds of destinations. A new kind is a file in this folder, and its name in `KINDS`."""

from __future__ import annotations

from alerts.destination import alertmanager, console, email, kafka, pagerduty, slack, teams, webhook
from alerts.destination.message import DestinationKind
from core.error import ConfigError

KINDS: tuple[DestinationKind, ...] = (
    webhook.KIND,
    slack.KIND,
    teams.KIND,
    pagerduty.KIND,
    alertmanager.KIND,
    email.KIND,
    kafka.KIND,
    console.KIND,
)
_BY_NAME = {kind.name: kind for kind in KINDS}


def kind(name: object) -> DestinationKind:
    """The kind called `name`; ConfigError if there is none."""
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    raise ConfigError(f"there is no `kind` {name!r}", remedy="available: " + ", ".join(_BY_NAME))
