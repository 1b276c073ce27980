"""Ports of retraining: what it asks of the stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from alerts.retrain.verify import Watched
from core.destination import Destination
from core.episode import Episode, EpisodeRecord, Rule
from core.hook import Hook
from core.retrain import Manifest, Retrain

Exports = Callable[[Retrain], str | None]
"""The signed address from which the window of a request's manifest can be fetched as Parquet; None where there is no export. It is asked for at each attempt, and must hold until the deadline."""


class Facts(Protocol):
    """What is asked of the events of a model."""

    def manifest(self, request: Retrain, trained: int | None) -> Manifest:
        """What a request would train on now: from its onset, or from the end of the last training (None: there was none), to the newest event."""
        ...

    def versions(self, model: str) -> Sequence[str]:
        """The versions of a model that have events."""
        ...

    def watched(self, request: Retrain, hook: Hook) -> Watched:
        """What there is of the new version, and how good it is."""
        ...


class Changing(Protocol):
    """One transaction about requests."""

    def hooks(self) -> list[Hook]:
        """All hooks, by name."""
        ...

    def hook(self, name: str) -> Hook | None:
        """A hook; None if there is none of this name."""
        ...

    def scheduled(self, hook: str) -> int:
        """Up to when the schedule of a hook was looked at."""
        ...

    def schedule(self, hook: str, at: int) -> None:
        """Note that the schedule of a hook was looked at."""
        ...

    def open(self) -> list[Retrain]:
        """The requests that have not ended, the oldest first."""
        ...

    def past(self, model: str) -> list[Retrain]:
        """The requests of a model that decisions rest on, the newest last: those that are open, the last ones, and the last that were dispatched."""
        ...

    def begun(self, since: int, model: str | None = None) -> int:
        """How many runs of a model, or of all, began after a time."""
        ...

    def retrain(self, name: str) -> Retrain | None:
        """A request; None if there is none of this id."""
        ...

    def asking(self, model: str) -> list[tuple[Episode, Rule | None]]:
        """The open episodes of a model, each with its rule."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...

    def told_overdue(self, model: str) -> int | None:
        """When the training of a model was due of which people were told last that it is overdue; None if they were told of none."""
        ...

    def tell_overdue(self, model: str, due: int) -> None:
        """Note that people were told."""
        ...

    def save(self, requests: Sequence[Retrain]) -> None:
        """Replace requests of the same id, or add them."""
        ...

    def write(self, record: EpisodeRecord) -> None:
        """Add deliveries."""
        ...


class RetrainStore(Protocol):
    """Where requests are kept."""

    def retrain_waits(self, now: int) -> bool:
        """Whether there may be something to do."""
        ...

    def retrain_reading(self) -> AbstractContextManager[Changing]:
        """A transaction that changes nothing."""
        ...

    def retraining(self) -> AbstractContextManager[Changing]:
        """A transaction that overlaps no other that changes something."""
        ...

    def claim_retrains(self, now: int, lease: int, most: int, busy: Collection[str] = ()) -> list[Retrain]:
        """Claim requests that are due and that no process has; without a lease only `busy` ones are left out."""
        ...
