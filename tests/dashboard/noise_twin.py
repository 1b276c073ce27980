"""The part of the reader of the pages that is about what episodes were worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.error import ConfigError
from core.noise import Noise


class NoiseTwin:
    """One monitor has a quieter rule; the readings of another are too many to look for one."""

    def worth(self, model: str, monitor: str) -> Noise | None:
        if monitor == "unknown":
            return None
        counts = {"fired": 9, "open": 1, "told": 7, "acknowledged": 3, "useful": 2, "noise": 1, "brief": 4, "notices": 12}
        return Noise(model=model, monitor=monitor, **counts)

    def quieter(self, model: str, monitor: str) -> Mapping[str, Any] | None:
        if (model, monitor) == ("departs-late", "input-drift"):
            return {"change": {"persist": "2 of 3"}, "episodes": 9, "episodes_then": 4, "valued": 2}
        raise ConfigError("these are 1,000,001 readings", remedy="give a shorter time")
