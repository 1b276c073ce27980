"""The part of the reader of the pages that is about retraining."""

from __future__ import annotations

from core.hook import Hook
from core.retrain import Retrain
from tests.alerts.retrain.scene import hook, requests


class RetrainingTwin:
    """One model has a hook, and requests in several states."""

    def hooks(self, model: str) -> list[Hook]:
        return [hook(model=model, schedule="0 3 * * 1")] if model == "departs-late" else []

    def retrains(self, model: str, limit: int) -> list[Retrain]:
        return requests(model)[:limit] if model == "departs-late" else []
