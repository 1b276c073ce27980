"""Reads the noise report, and looks for changes of rules that would have made less of it."""

from __future__ import annotations

from typing import Any

from alerts.noise import candidates, suggestion, tally
from core.monitor import Monitor
from core.noise import Noise
from watchkeeper.reader.trial import TrialReader


class NoiseReader(TrialReader):
    """Reads what episodes were worth."""

    def noise(self, model: str | None, monitor: str | None, start: int | None, end: int | None) -> list[Noise]:
        """What became of the episodes that fired in `[start, end)`, by monitor, those that cost most notices first."""
        return tally(self._stores.control.fired(model, monitor, start, end))

    def suggestion(self, monitor: Monitor, start: int | None, end: int | None) -> dict[str, Any] | None:
        """The smallest change of the monitor's rule that a back-test supports; None without one. Raises ConfigError if the readings are too many."""
        changes = candidates(monitor)
        if not changes:
            return None
        now, *tried = self.rehearse(monitor, [monitor, *(changed for _, changed in changes)], start, end)
        written = [change for change, _ in changes]
        return suggestion(now, list(zip(written, tried, strict=True)), self._stores.control.fired(monitor.model, monitor.name, start, end))
