"""The ports of alerts: what they need of the control store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from core.change import Change
from core.described import Described
from core.destination import Destination
from core.document_name import TRUST
from core.endpoint import Tried
from core.episode import Delivery, Episode, EpisodeRecord, Rule
from core.incident import Incident
from core.trust import Told


class Ledger(Protocol):
    """One transaction: what it reads does not change until it has written."""

    def rules(self, model: str, *monitors: str) -> list[Rule]:
        """The rules of monitors of a model, of all revisions of their definitions."""
        ...

    def episodes(self, ids: Sequence[str]) -> list[Episode]:
        """The episodes with these ids, with their deliveries, which have no bodies; unknown ones are left out."""
        ...

    def told(self, ids: Sequence[str]) -> set[str]:
        """Of these ids those of episodes of which a destination was told without a policy."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...

    def governed(self) -> tuple[bool, bool]:
        """Whether a policy says what is told, and whether groups are open, which may be those of a policy that was deleted."""
        ...

    def described(self, model: str) -> Described:
        """Owner, description and runbook of a model."""
        ...

    def changes(self, model: str, since: int, until: int) -> list[Change]:
        """The changes of a model that were made in `[since, until)`, the first one first; versions of the model are not among them."""
        ...

    def retired(self, model: str, *monitors: str) -> dict[str, int]:
        """Of these names those of deleted monitors, each with the revision that their readings carry."""
        ...

    def trust(self, model: str, where: str = TRUST) -> Told:
        """What was told last of the trust in a model, as the document of this prefix says."""
        ...

    def save_trust(self, model: str, told: Told, where: str = TRUST) -> None:
        """Replace it."""
        ...

    def incident(self) -> Incident | None:
        """The incident of Watchkeeper itself that is open."""
        ...

    def save_incident(self, incident: Incident | None) -> None:
        """Replace it; None if it is over."""
        ...

    def write(self, record: EpisodeRecord) -> None:
        """Replace rules and episodes of the same key; end episodes; add transitions and deliveries."""
        ...


class AlertStore(Protocol):
    """Where the alert engine keeps its state."""

    def recording(self, fence: tuple[str, int] | None = None) -> AbstractContextManager[Ledger]:
        """A ledger for one step, all or nothing. `fence` is the name and epoch of an ownership: raises Fenced if that epoch is not the current one."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...


class OutboxStore(Protocol):
    """Where delivery finds its work."""

    def due(self, now: int, limit: int = 100, lease: int = 0, busy: Collection[str] = ()) -> list[Delivery]:
        """The next notification of each destination that is free and not `busy`. With a lease the caller claims the destination for so long."""
        ...

    def settle(self, delivery: Delivery, tried: Tried | None = None) -> None:
        """Save the result of an attempt, and what it says of the receiver; None if there was no attempt."""
        ...

    def standing(self, destination: str, since: int) -> list[Delivery]:
        """What a destination took last of each open episode, and of those whose end was written after `since`."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...
