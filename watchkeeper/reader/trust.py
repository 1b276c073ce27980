"""Reads whether a model's predictions may be trusted now, from its newest readings."""

from __future__ import annotations

from core.trust import Trust
from watchkeeper.reader.readings import ReadingReader
from watchkeeper.standing import standing


class TrustReader(ReadingReader):
    """Reads states of trust."""

    def trust(self, model: str) -> list[Trust]:
        """The states of a model by version and segment; none without a monitor that tells, or without readings of it."""
        stores = self._stores
        return standing(stores.readings, model, stores.control.monitors(model), self._evaluated(model)[model]).states
