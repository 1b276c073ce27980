"""The lease of a model: from when an owner has taken the model until another owner takes it."""

from __future__ import annotations

from typing import Any

from core.document_name import OWNER
from core.generation import epoch_above, generation
from monitors.ports import Cursors, OutcomeStore


class Lease:
    """Identifies the owner to both stores: by a fence in the control store, by generations in the fact store.

    The control store checks the fence in the transaction of each write. The fact store has no transactions, so an owner calls `check` before each
    write. One that was replaced can then write once more at most, and that write loses by its generation.
    """

    def __init__(self, model: str, cursors: Cursors, outcomes: OutcomeStore) -> None:
        self._name, self._cursors = OWNER + model, cursors
        self._epoch = cursors.take(self._name, epoch_above(outcomes.highest(model)))
        self.steps = 0

    @property
    def fence(self) -> tuple[str, int]:
        """The name and epoch of the ownership."""
        return self._name, self._epoch

    @property
    def generation(self) -> int:
        """The generation of what this step writes."""
        return generation(self._epoch, self.steps)

    @property
    def first(self) -> int:
        """The generation below which everything was written by earlier owners."""
        return generation(self._epoch, 0)

    def advance(self) -> None:
        """Begin another step: what it writes replaces what earlier steps wrote."""
        self.steps += 1

    def check(self) -> None:
        """Raise Fenced if another owner has taken the model."""
        self._cursors.holds(*self.fence)

    def cursor(self) -> dict[str, Any]:
        """The document that was saved last, by this owner or an earlier one."""
        return self._cursors.cursor(self._name) or {}

    def save(self, payload: dict[str, Any]) -> None:
        """Save the owner's cursor. Raises Fenced if another owner has taken the model."""
        self._cursors.save_cursor(self._name, payload, self._epoch)
