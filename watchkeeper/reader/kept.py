"""Keeps what was found of each model for as long as nothing of it is committed or evaluated."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, Generic, TypeVar

import msgspec

from core.contract import Contract
from storage.facts.progress import Progress

Found = TypeVar("Found")

LONGEST = 60.0  # seconds: whatever changes rows without a trace is seen by then


def stamp(contract: Contract, progress: Progress | None, cursor: Mapping[str, Any] | None) -> Hashable:
    """What differs once events of a model were committed, or its owner has evaluated some.

    Ask for progress and cursor before the facts: what comes meanwhile is then found again.
    """
    came = progress and (sorted(progress.predictions.items()), sorted(progress.labels.items()), progress.last_ts)
    return contract.version, contract.summary, msgspec.json.encode((came, cursor), order="deterministic")


class Kept(Generic[Found]):
    """Answers by model, each under the stamp that it was found with; none is held much longer than it is given. Threads share it."""

    def __init__(self, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest, self._clock = longest, clock
        self._held: dict[str, tuple[Hashable, float, Found]] = {}  # the oldest first
        self._lock = Lock()

    def get(self, model: str, stamp: Hashable) -> Found | None:
        """What was found under this stamp; None if nothing was, or long ago."""
        held = self._held.get(model)
        return held[2] if held is not None and held[0] == stamp and self._clock() < held[1] + self._longest else None

    def put(self, model: str, stamp: Hashable, found: Found) -> Found:
        """Keep what was found, in place of what was found before, and forget what is too old to be given."""
        now = self._clock()
        with self._lock:
            self._held.pop(model, None)
            self._held[model] = stamp, now, found
            while self._held[oldest := next(iter(self._held))][1] + self._longest <= now:
                del self._held[oldest]
        return found

    def drop(self, others: Callable[[str], bool]) -> None:
        """Forget models."""
        with self._lock:
            for model in [one for one in self._held if others(one)]:
                del self._held[model]
