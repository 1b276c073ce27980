"""Sentences about destinations at which attempts fail."""

from __future__ import annotations

from typing import Protocol

from core import moment
from core.episode import Delivery

PATIENCE = 3  # failed attempts in a row after which the status says so


class Outbox(Protocol):
    """The outbox, as far as it is needed here."""

    def failing(self, attempts: int) -> list[Delivery]:
        """By destination the notification that has waited longest, if so many attempts in a row have failed there."""
        ...

    def given_up(self) -> list[Delivery]:
        """By destination the newest notification that was given up after an attempt, if nothing was taken since."""
        ...

    def gone(self) -> list[str]:
        """The paused destinations whose receiver has answered that it is gone for good."""
        ...


def failures(outbox: Outbox) -> list[str]:
    """A sentence for each destination where at least `PATIENCE` attempts in a row have failed, or that is gone, or whose last notification was given up: since when, why, and what happens next."""
    gone = [
        f"destination {name} is paused: its receiver answered 410, gone for good; correct its address and apply it with `enabled: true`"
        for name in outbox.gone()
    ]
    failing = outbox.failing(PATIENCE)
    names = {one.destination for one in failing}
    lost = [
        f"destination {one.destination}: its notification {one.id} was given up: {one.reason}; correct what is wrong, and send it again:"
        f" watchkeeper deliveries replay {one.id}"
        for one in outbox.given_up()
        if one.destination not in names
    ]
    return (
        gone
        + lost
        + [
            f"destination {one.destination}: {one.attempts} attempts in a row failed, the last: {one.reason}; its oldest notification is of"
            f" {moment.text(one.created)}; look at the receiver: what waits is sent when it answers, for three days at most"
            for one in failing
        ]
    )
