"""Reads monitors, also deleted ones."""

from __future__ import annotations

from core.monitor import Monitor
from watchkeeper.reader.sources import Sources


class MonitorReader(Sources):
    """Reads definitions of monitors."""

    def monitors(self, model: str | None = None) -> list[Monitor]:
        """Monitors by model and name, of one model or of all."""
        if model is not None:
            return self._stores.control.monitors(model)
        return [monitor for definition in self._defined.read().values() for monitor in definition.monitors]

    def monitor(self, model: str, name: str) -> tuple[Monitor, int | None] | None:
        """The last definition of a monitor, and when it was deleted, None if it was not; None if there never was one."""
        control = self._stores.control
        if (found := control.last_monitor(model, name)) is None:
            return None
        there = any(one.name == name for one in control.monitors(model))
        gone = next((one.retired_at for one in control.retired_monitors(model) if one.name == name), None)
        return found, None if there else gone
