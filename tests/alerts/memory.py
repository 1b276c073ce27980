"""An alert store in memory, for tests of the engine that take thousands of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.change import Change
from core.described import Described
from core.destination import Destination
from core.episode import Delivery, DeliveryState, Episode, EpisodeRecord, Rule, Transition
from core.incident import Incident
from core.trust import Told


class MemoryStore:
    """Holds what the engine writes; it is its own ledger."""

    def __init__(self, destinations: Sequence[Destination] = ()) -> None:
        self.held: dict[tuple[str, str, str, str], Rule] = {}
        self.known: dict[str, Episode] = {}
        self.timeline: list[Transition] = []
        self.outbox: list[Delivery] = []
        self._destinations = list(destinations)

    @contextmanager
    def recording(self, fence: tuple[str, int] | None = None) -> Iterator[MemoryStore]:
        """One step."""
        yield self

    def rules(self, model: str, *monitors: str) -> list[Rule]:
        """The rules of monitors."""
        return [rule for rule in self.held.values() if rule.model == model and rule.monitor in monitors]

    def episodes(self, ids: Sequence[str]) -> list[Episode]:
        """Episodes by id."""
        return [self.known[name] for name in ids if name in self.known]

    def told(self, ids: Sequence[str]) -> set[str]:
        """Episodes that were told."""
        return {one.episode for one in self.outbox if one.episode in ids and one.state is not DeliveryState.NOT_SENT}

    def destinations(self) -> list[Destination]:
        """All destinations."""
        return self._destinations

    def governed(self) -> tuple[bool, bool]:
        """There is no policy."""
        return False, False

    def described(self, model: str) -> Described:
        """Nobody."""
        return Described()

    def changes(self, model: str, since: int, until: int) -> list[Change]:
        """Nothing has changed."""
        return []

    def retired(self, model: str, *monitors: str) -> dict[str, int]:
        """Nothing was deleted."""
        return {}

    def trust(self, model: str, where: str = "") -> Told:
        """Nothing was told."""
        return Told({})

    def save_trust(self, model: str, told: Told, where: str = "") -> None:
        """Not kept."""

    def incident(self) -> Incident | None:
        """There is none."""
        return None

    def save_incident(self, incident: Incident | None) -> None:
        """Not kept."""

    def write(self, record: EpisodeRecord) -> None:
        """Keep the changes of a step."""
        self.held |= {(one.model, one.monitor, one.column, one.segment): one for one in record.rules}
        self.known |= {one.id: one for one in record.episodes}
        self.timeline += record.transitions
        self.outbox += record.deliveries
