"""Reads about the service itself: its status, and the flow of events."""

from __future__ import annotations

from typing import Any

from core import moment
from core.dead_letter_count import DeadLetterCount
from storage.control.audit import AuditEntry
from watchkeeper.backend import Backend
from watchkeeper.reader.kept import Kept
from watchkeeper.reader.sources import PAGE, Sources

_RECENT = 10.0  # seconds that the state of the service on a page may be old


class ServiceReader(Sources):
    """Reads the service's status and flow."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._service = backend
        self._newest = Kept[tuple[int | None]](PAGE)

    def audit(self, limit: int, after: str | None) -> tuple[list[AuditEntry], str | None]:
        """Changes, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        return self._stores.control.audit_entries(limit, after)

    def header_facts(self) -> tuple[int, int | None]:
        """How many episodes are open, and the latest event time of all models."""
        tag = self._service.tag()  # the pages of all users ask
        (newest,) = self._newest.get("", tag) or self._newest.put("", tag, (self._stores.batches.newest(),))
        return sum(self._stores.control.open_episodes().values()), newest

    def flow(self, letters: int) -> tuple[dict[str, int], list[DeadLetterCount]]:
        """By topic the rows that the log took in the last hour; and the newest kinds of dead letters, `letters` at most."""
        return self._stores.flow.rows(self._backend.clock.now() - moment.HOUR), self._stores.flow.refused(letters)

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` says, a few seconds old at most; pages are drawn again when it changes."""
        return self._service.status(_RECENT)
