"""Reads episodes and their transitions."""

from __future__ import annotations

from typing import Literal

from core.endpoint import Tried
from core.episode import Delivery, DeliveryState, Episode, Level, Transition
from watchkeeper.reader.sources import Sources


class EpisodeReader(Sources):
    """Reads episodes."""

    def open_ones(self) -> list[Episode]:
        """All open episodes, the last fired first, without deliveries and timeline."""
        return self._stores.control.open_ones()

    def open_levels(self) -> dict[str, set[tuple[str, Level]]]:
        """By model, the measures and levels of its open episodes."""
        return self._stores.control.open_levels()

    def episodes(
        self,
        state: Literal["open", "closed"] | None = None,
        model: str | None = None,
        limit: int = 100,
        after: str | None = None,
        *,
        monitor: str | None = None,
    ) -> tuple[list[Episode], str | None]:
        """Episodes, newest first, and the cursor of the next page."""
        return self._stores.control.episodes(state, model, limit, after, monitor=monitor)

    def episode(self, name: str) -> Episode | None:
        """One episode."""
        return self._stores.control.episode(name)

    def deliveries(
        self, state: DeliveryState | None, destination: str | None, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        """Notifications, the newest first, and the next cursor."""
        return self._stores.control.deliveries(state, destination, limit, after)

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        """A notification and its last attempts."""
        return self._stores.control.delivery(name)

    def transitions(self, name: str) -> list[Transition]:
        """The transitions of an episode, oldest first."""
        return self._stores.control.transitions(name)
