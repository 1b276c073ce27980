"""What alerts need of a store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from core.described import Described
from core.destination import Destination
from core.episode import Delivery, Episode, EpisodeRecord, Rule


class Ledger(Protocol):
    """One transaction: what it reads stays true until what it writes is there."""

    def rules(self, model: str, monitor: str) -> list[Rule]:
        """The rules of a monitor, of all revisions of its definition."""
        ...

    def episodes(self, ids: Sequence[str]) -> list[Episode]:
        """The episodes with these ids, with their deliveries; unknown ones are left out."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...

    def described(self, model: str) -> Described:
        """What is said about a model."""
        ...

    def retired(self, model: str, monitor: str) -> int:
        """The revision that the readings of a deleted monitor of this name carry; 0 if there was none."""
        ...

    def write(self, record: EpisodeRecord) -> None:
        """Replace rules and episodes of the same key; add transitions and deliveries."""
        ...


class AlertStore(Protocol):
    """Where the alert engine keeps its state."""

    def recording(self, fence: tuple[str, int] | None = None) -> AbstractContextManager[Ledger]:
        """A ledger for one step, all or nothing. `fence` is what is owned and the epoch of that: Fenced if it is not the current one."""
        ...


class OutboxStore(Protocol):
    """Where delivery finds its work."""

    def due(self, now: int, limit: int = 100, lease: int = 0) -> list[Delivery]:
        """The oldest waiting notification of each destination, where its time has come; with a lease the caller's alone for so long."""
        ...

    def settle(self, delivery: Delivery) -> None:
        """Save what an attempt brought."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...
