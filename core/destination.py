"""Where episodes are sent. The document that people write is read by `alerts.destination`; this is what comes out of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from core.monitor import Severity


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A destination. One of `secret` (`whsec_...`) and `secret_file` (its path, read at each sending) is set; `models` empty means all."""

    name: str
    kind: str = "webhook"
    url: str
    secret: str = ""
    secret_file: str = ""
    models: tuple[str, ...] = ()
    severity: Severity = Severity.REPORT

    def takes(self, model: str, severity: Severity) -> bool:
        """Whether episodes of this model and severity are sent here."""
        return (not self.models or model in self.models) and severity.rank >= self.severity.rank

    def shown(self) -> dict[str, Any]:
        """The destination without its secrets: for people, logs, the API and the audit."""
        document = msgspec.to_builtins(self)
        document["url"] = _redacted(self.url)
        document["secret"] = "whsec_***" if self.secret else ""
        return {key: value for key, value in document.items() if value != ""}

    def __repr__(self) -> str:
        return f"Destination({self.shown()})"


def _redacted(url: str) -> str:
    """The URL without user, password, query and fragment: tokens travel in all of them."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "***" if parts.query else "", ""))
