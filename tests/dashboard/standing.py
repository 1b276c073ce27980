"""A reader's comparisons, none unless a test gives some."""

from __future__ import annotations

from core.comparison import Comparison
from core.monitor import Monitor


class Standing:
    """The part of the reader that tells comparisons."""

    standing: tuple[Comparison, ...] = ()

    def comparisons(self, model: str) -> tuple[Comparison, ...]:
        return self.standing

    def course(self, monitor: Monitor) -> tuple[Comparison, ...]:
        return self.standing[:1]
