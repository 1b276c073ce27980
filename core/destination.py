"""Destinations of notifications. `alerts.destination.document` makes them from what people write."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from core.described import Described
from core.monitor import Severity

EVENTS = ("episode", "trust", "system", "comparison")  # what a destination may be told of
_PATH_IS_SECRET = frozenset({"slack", "teams"})  # whoever has the address may post
_SECRET = frozenset({"secret", "password", "token", "routing_key", "key", "registry_token", "registry_secret"})


class Destination(Described, frozen=True, kw_only=True):
    """A destination. `settings` are those of its kind, as `alerts.destination.<kind>` has read them; `models` empty means all.

    One that is not `enabled` is paused: nothing new is queued for it, and notifications that wait for it are kept. `events` are what it is told of. `links`: whether its
    notices have links that act without a token; None is as usual for its kind.
    """

    name: str
    kind: str = "webhook"
    settings: dict[str, str] = {}  # noqa: RUF012 - a struct's: each has its own
    models: tuple[str, ...] = ()
    severity: Severity = Severity.REPORT
    enabled: bool = True
    events: tuple[str, ...] = ("episode",)
    links: bool | None = None

    def reaches_like(self, other: Destination) -> bool:
        """Whether both send to the same receiver, in the same way."""
        return (self.kind, self.settings) == (other.kind, other.settings)

    def takes(self, model: str, severity: Severity) -> bool:
        """Whether episodes of this model and severity are sent here."""
        return "episode" in self.events and self._of(model) and severity.rank >= self.severity.rank

    def takes_trust(self, model: str) -> bool:
        """Whether changes of trust in this model are sent here."""
        return "trust" in self.events and self._of(model)

    def takes_comparison(self, model: str, severity: Severity) -> bool:
        """Whether verdicts of comparisons of this model and severity are sent here."""
        return "comparison" in self.events and self._of(model) and severity.rank >= self.severity.rank

    @property
    def takes_system(self) -> bool:
        """Whether problems of Watchkeeper itself are sent here, whatever `models` it has."""
        return "system" in self.events

    def _of(self, model: str) -> bool:
        return not self.models or model in self.models

    def shown(self) -> dict[str, Any]:
        """The destination without its secrets, for pages, logs, the API and the audit."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        del document["settings"]
        return document | {name: shown(self.kind, name, value) for name, value in self.settings.items()}

    @property
    def secrets(self) -> list[str]:
        """All that must not be shown, as it is written; what is in files is not among it."""
        found = [word for name, value in self.settings.items() if name in _SECRET for word in value.split()]
        parts = urlsplit(self.settings.get("url", ""))
        path = parts.path.strip("/") if self.kind in _PATH_IS_SECRET else ""
        return [word for word in (*found, parts.password, parts.query, path) if word]

    def __repr__(self) -> str:
        return f"Destination({self.shown()})"


def shown(kind: str, name: str, value: str) -> str:
    """A setting without secrets. An address loses user, password, query and fragment, because each of them may hold a token; of some kinds the path is one."""
    if name in _SECRET:
        return "***"
    if not name.endswith("url"):
        return value
    parts = urlsplit(value)
    host = parts.netloc.rpartition("@")[2]
    path = "/***" if kind in _PATH_IS_SECRET else parts.path
    return urlunsplit((parts.scheme, host, path, "***" if parts.query else "", ""))
