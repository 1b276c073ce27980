"""Destinations that do not take what they are sent, in words."""

from __future__ import annotations

from typing import Protocol

from core import moment
from core.episode import Delivery

PATIENCE = 3  # attempts at one notification that may fail before anybody is told


class Outbox(Protocol):
    """Where the notifications wait."""

    def failing(self, attempts: int) -> list[Delivery]:
        """The oldest waiting notification of each destination, where so many attempts at it have failed."""
        ...


def failures(outbox: Outbox) -> list[str]:
    """A sentence for each destination whose last `PATIENCE` attempts or more have failed: since when, why, and what happens next."""
    return [
        f"destination {one.destination}: {one.attempts} attempts in a row failed, the last: {one.reason}; its oldest notification is of"
        f" {moment.text(one.created)}; look at the receiver: what waits is sent when it answers, for three days at most"
        for one in outbox.failing(PATIENCE)
    ]
