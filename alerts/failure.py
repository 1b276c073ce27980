"""Sentences about destinations at which attempts fail."""

from __future__ import annotations

from typing import Protocol

from core import moment
from core.episode import Delivery

PATIENCE = 3  # failed attempts at one notification after which the status says so


class Outbox(Protocol):
    """The outbox, as far as it is needed here."""

    def failing(self, attempts: int) -> list[Delivery]:
        """By destination its oldest waiting notification, if so many attempts at it have failed."""
        ...


def failures(outbox: Outbox) -> list[str]:
    """A sentence for each destination where at least `PATIENCE` attempts in a row have failed: since when, why, and what happens next."""
    return [
        f"destination {one.destination}: {one.attempts} attempts in a row failed, the last: {one.reason}; its oldest notification is of"
        f" {moment.text(one.created)}; look at the receiver: what waits is sent when it answers, for three days at most"
        for one in outbox.failing(PATIENCE)
    ]
