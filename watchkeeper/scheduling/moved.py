"""Which models something was committed of, or written late by an owner that was replaced: questions for all models of a process at once."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Protocol

from monitors.ownership.owner import Owner
from storage.facts.progress import Progress

_WARY = (
    600.0  # seconds after a model was taken in which its earlier owners are looked at in each round: a late write lands then or hardly ever
)
_BESIDE = 5.0  # seconds after which a tick that was lost is noticed while events come
_SELDOM = 10.0  # seconds between two such looks later


class MovedFacts(Protocol):
    """What is asked of the facts."""

    def mark(self) -> object:
        """What changes when anything is committed."""
        ...

    def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
        """How far every model is, or these."""
        ...

    def written(self, first: Mapping[str, int]) -> Mapping[str, object]:
        """By model, what changes when somebody writes below generation `first[model]`."""
        ...


class Moved:
    """Remembers how far each model is. One thread asks."""

    def __init__(self, facts: MovedFacts) -> None:
        self._facts = facts
        self._mark: object = None
        self._progress: dict[str, Progress] = {}
        self._earlier: dict[str, object] = {}
        self._asked = self._taken = self._looked = float("-inf")
        self._first: dict[str, int] = {}

    def all(self, *, silent: bool) -> Mapping[str, Progress]:
        """How far each model is. While events come, models without a tick are asked about every `_BESIDE` seconds only; in silence each time."""
        now = time.monotonic()
        if silent or now >= self._asked + _BESIDE:
            mark = self._facts.mark()  # asked first: what is committed meanwhile changes the next one
            if mark != self._mark:
                self._progress, self._mark = self._facts.progress(), mark
            self._asked = now
        return self._progress

    def some(self, models: Collection[str]) -> Mapping[str, Progress]:
        """The same, these models asked about now."""
        if models:
            self._progress |= self._facts.progress(models)
        return self._progress

    def late(self, owners: Mapping[str, Owner]) -> set[str]:
        """The models of which somebody who was replaced has written since this was asked last."""
        now = time.monotonic()
        first = {name: first for name, owner in owners.items() if (first := owner.first) is not None}
        if first != self._first:
            self._first, self._taken = first, now
        if not first or now < (self._looked if now < self._taken + _WARY else self._looked + _SELDOM):
            return set()
        self._looked, before, found = now, self._earlier, self._facts.written(first)
        self._earlier = {name: (value, found.get(name)) for name, value in first.items()}
        return {name for name, value in self._earlier.items() if name in before and before[name] != value}
