"""When a model has to be trained again. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable

from core.hook import Hook
from core.retrain import Retrain
from core.training import Training


def training(model: str, hooks: Iterable[Hook], requests: Iterable[Retrain], now: int) -> Training:
    """The last run of a model that succeeded, by any hook, and the shortest cadence of its hooks, also of those that are paused: what was promised still holds."""
    last = max((one for one in requests if one.succeeded_at is not None), key=lambda one: one.succeeded_at or 0, default=None)
    stated = min((one for one in hooks if one.cadence is not None), key=lambda one: (one.cadence or 0, one.name), default=None)
    if stated is None:
        return Training(model=model, at=now, last=last)
    since = stated.since if last is None else last.succeeded_at
    return Training(model=model, at=now, last=last, hook=stated.name, cadence=stated.cadence, since=since)
