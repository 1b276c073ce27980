"""The definitions of all models, read again only after something was defined."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from core.contract import Contract
from core.destination import Destination
from core.monitor import ModelBudget, Monitor


class Control(Protocol):
    """The store of definitions."""

    def change_count(self) -> int:
        """A number that changes whenever anything is defined, changed or deleted."""
        ...

    def contracts(self) -> list[Contract]:
        """The newest contract of every model."""
        ...

    def monitors(self) -> list[Monitor]:
        """All monitors."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...

    def referenced(self) -> set[tuple[str, int]]:
        """Model and version of each contract with a reference."""
        ...

    def budgets(self) -> list[ModelBudget]:
        """The budgets of models as a whole."""
        ...

    def rebuilds(self) -> dict[str, int]:
        """By model the number of the last requested rebuild."""
        ...


class Definition(NamedTuple):
    """The newest contract of a model, its monitors by name, the number of its last requested rebuild (0: none), the destinations that take changes of trust in it, by name, whether it has a reference, and its budget."""

    contract: Contract
    monitors: list[Monitor]
    rebuild: int = 0
    listening: tuple[str, ...] = ()
    referenced: bool = False
    budget: ModelBudget | None = None


class DefinitionCache:
    """The definitions of all models. Threads share it."""

    def __init__(self, control: Control) -> None:
        self._control, self._lock = control, threading.Lock()
        self._changes: int | None = None
        self._found: dict[str, Definition] = {}

    def read(self) -> Mapping[str, Definition]:
        """The definitions by model. It makes one query, and six more if something was defined since the last call."""
        with self._lock:
            # Read first: what is defined meanwhile is read now, and once more at the next call.
            if (changes := self._control.change_count()) != self._changes:
                asked, referenced = self._control.rebuilds(), self._control.referenced()
                budgets = {one.model: one for one in self._control.budgets()}
                contracts, to = self._control.contracts(), [one for one in self._control.destinations() if one.enabled]
                found = {
                    name: Definition(
                        one,
                        [],
                        asked.get(name, 0),
                        tuple(sorted(door.name for door in to if door.takes_trust(name))),
                        (name, one.version) in referenced,
                        budgets.get(name),
                    )
                    for name, one in ((one.model, one) for one in contracts)
                }
                for monitor in sorted(self._control.monitors(), key=lambda one: one.name):
                    if monitor.model in found:
                        found[monitor.model].monitors.append(monitor)
                self._found, self._changes = found, changes
            return self._found
