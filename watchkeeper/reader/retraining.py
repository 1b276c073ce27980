"""Reads hooks, and the requests for retraining that they made."""

from __future__ import annotations

from core.hook import Hook
from core.retrain import Retrain
from watchkeeper.reader.sources import Sources


class RetrainingReader(Sources):
    """Reads hooks and requests."""

    def hooks(self, model: str) -> list[Hook]:
        """The hooks of a model."""
        return self._stores.control.hooks(model)

    def retrains(self, model: str, limit: int) -> list[Retrain]:
        """The last requests of a model, the newest first."""
        return self._stores.control.retrains(model, limit=limit)[0]
