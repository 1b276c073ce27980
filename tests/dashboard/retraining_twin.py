"""The part of the reader of the pages that is about retraining."""

from __future__ import annotations

import msgspec

from alerts.retrain.cadence import training
from core.hook import Hook
from core.retrain import Retrain
from core.training import Training
from tests.alerts.retrain.scene import DAY, hook, requests
from tests.alerts.sample import START


class RetrainingTwin:
    """One model has a hook, and requests in several states."""

    def hooks(self, model: str) -> list[Hook]:
        return [hook(model=model, schedule="0 3 * * 1")] if model == "departs-late" else []

    def trainings(self, model: str | None = None) -> list[Training]:
        name = model or "departs-late"
        hooks = [msgspec.structs.replace(one, cadence=7 * DAY) for one in self.hooks(name)]
        ended = {"metrics": {"cost": 1234567.25}, "succeeded_at": START + DAY}
        past = [msgspec.structs.replace(one, **(ended if one.state == "effective" else {})) for one in self.retrains(name, 100)]
        return [training(name, hooks, past, START + 30 * DAY)]

    def retrains(self, model: str, limit: int) -> list[Retrain]:
        return requests(model)[:limit] if model == "departs-late" else []

    def ran(self, model: str, limit: int) -> list[Retrain]:
        return [one for one in self.retrains(model, 100) if one.succeeded_at is not None][:limit]
