"""Reads hooks, and the requests for retraining that they made."""

from __future__ import annotations

from alerts.retrain.cadence import training
from core.hook import Hook
from core.retrain import Retrain
from core.training import Training
from watchkeeper.reader.sources import Sources


class RetrainingReader(Sources):
    """Reads hooks and requests."""

    def hooks(self, model: str) -> list[Hook]:
        """The hooks of a model."""
        return self._stores.control.hooks(model)

    def retrains(self, model: str, limit: int) -> list[Retrain]:
        """The last requests of a model, the newest first."""
        return self._stores.control.retrains(model, limit=limit)[0]

    def ran(self, model: str, limit: int) -> list[Retrain]:
        """The last requests of a model whose target was asked, the newest first."""
        return self._stores.control.ran(model, limit)

    def trainings(self, model: str | None = None) -> list[Training]:
        """The training of a model, or of all that have a hook; nothing of one without a hook and a request."""
        with self._stores.control.retrain_reading() as seen:
            hooks = seen.hooks()
            names = sorted({one.model for one in hooks}) if model is None else [model]
            found = [(name, [one for one in hooks if one.model == name], seen.past(name)) for name in names]
            return [training(name, own, past, seen.now) for name, own, past in found if own or past]
