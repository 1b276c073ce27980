"""The kinds of destinations. A new kind is a file in this folder, and its name in `KINDS`."""

from __future__ import annotations

from alerts.destination import console, webhook
from alerts.destination.message import DestinationKind
from core.error import ConfigError

KINDS: tuple[DestinationKind, ...] = (webhook.KIND, console.KIND)
_BY_NAME = {kind.name: kind for kind in KINDS}
_PLANNED = ("slack", "teams", "pagerduty", "alertmanager", "email", "kafka")


def kind(name: object) -> DestinationKind:
    """The kind called `name`; ConfigError if there is none, or it is not built yet."""
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    problem = f"`kind: {name}` is not available yet" if name in _PLANNED else f"there is no `kind` {name!r}"
    raise ConfigError(problem, remedy="available: " + ", ".join(_BY_NAME))
