"""Finds the models of which something was committed, or written late by an earlier owner, in queries about all models of a process together."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from core import moment
from monitors.ownership.owner import Owner
from storage.facts.progress import Progress

_EARLY = 600.0  # seconds after this process took any model in which every poll looks for late writes of earlier owners: such a write almost always lands in that time
_POLL_UNREPORTED = 5.0  # seconds between two polls of models that no tick has reported, while events come
_POLL_LATE = 10.0  # seconds between two polls for late writes after that


class CommitFacts(Protocol):
    """The queries about committed batches."""

    def mark(self) -> object:
        """A value that changes when anything is committed."""
        ...

    def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
        """How far every model is, or each of these."""
        ...

    def written(self, first: Mapping[str, int]) -> Mapping[str, object]:
        """By model, a value that changes when an earlier owner writes below generation `first[model]`."""
        ...


class CommitTracker:
    """Remembers how far each model is. Used by one thread. `complete` gives the time before which everything that the log took is committed."""

    def __init__(self, facts: CommitFacts, complete: Callable[[], int] = lambda: moment.EARLIEST) -> None:
        self._facts, self._complete = facts, complete
        self.complete = moment.EARLIEST  # what the log took before this time is in the progress
        self._last_mark: object = None
        self._progress: dict[str, Progress] = {}
        self._earlier: dict[str, object] = {}
        self._polled = self._owned_since = self._late_polled = float("-inf")
        self._first: dict[str, int] = {}

    def all(self, *, silent: bool) -> Mapping[str, Progress]:
        """How far each model is. While events come, this queries every `_POLL_UNREPORTED` seconds only; in silence at every call."""
        now = time.monotonic()
        if silent or now >= self._polled + _POLL_UNREPORTED:
            complete = self._complete()
            mark = self._facts.mark()  # read before the progress, so that a batch that is committed meanwhile changes the next mark
            if mark != self._last_mark:
                self._progress, self._last_mark = self._facts.progress(), mark
            self._polled, self.complete = now, complete
        return self._progress

    def some(self, models: Collection[str]) -> Mapping[str, Progress]:
        """As `all`, with these models queried now."""
        if models:
            self._progress |= self._facts.progress(models)
        return self._progress

    def late(self, owners: Mapping[str, Owner]) -> set[str]:
        """The models of which an earlier owner has written since the last call."""
        now = time.monotonic()
        first = {name: first for name, owner in owners.items() if (first := owner.first) is not None}
        if first != self._first:
            self._first, self._owned_since = first, now
        if not first or now < (self._late_polled if now < self._owned_since + _EARLY else self._late_polled + _POLL_LATE):
            return set()
        self._late_polled, before, found = now, self._earlier, self._facts.written(first)
        self._earlier = {name: (value, found.get(name)) for name, value in first.items()}
        return {name for name, value in self._earlier.items() if name in before and before[name] != value}
