"""An owner's term: from when it has taken a model until somebody else takes it."""

from __future__ import annotations

from typing import Any

from core.generation import above, era, generation
from monitors.ports import Cursors, Truth


class Lease:
    """Who the owner is to the stores: its fence in the control store, its generations among the facts.

    What is written to the control store is fenced there, in the same transaction. The fact store knows no fences: `check` before each write
    leaves a late writer one write at most, and that loses by its generation.
    """

    def __init__(self, model: str, cursors: Cursors, truth: Truth) -> None:
        self._name, self._cursors = f"owner:{model}", cursors
        self._epoch = cursors.take(self._name, above(truth.highest(model)))
        self.era = era(self._epoch)
        self.steps = 0

    @property
    def fence(self) -> tuple[str, int]:
        """What is owned, and under which epoch."""
        return self._name, self._epoch

    @property
    def generation(self) -> int:
        """The generation of what this step writes."""
        return generation(self.era, self.steps)

    @property
    def first(self) -> int:
        """The generation below which everything was written by owners before this one."""
        return generation(self.era, 0)

    def advance(self) -> None:
        """Another step begins: what it writes replaces what earlier ones wrote."""
        self.steps += 1

    def check(self) -> None:
        """Raise Fenced if somebody else has taken the model."""
        self._cursors.holds(*self.fence)

    def cursor(self) -> dict[str, Any]:
        """What was saved last, by whichever owner."""
        return self._cursors.cursor(self._name) or {}

    def save(self, payload: dict[str, Any]) -> None:
        """Save where the owner stands. Raises Fenced if somebody else has taken the model."""
        self._cursors.save_cursor(self._name, payload, self._epoch)
