"""What owners work by, of all models at once: read again only when something was defined."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from core.contract import Contract
from core.monitor import Monitor


class Control(Protocol):
    """Where definitions are."""

    def revision(self) -> int:
        """Changes whenever anything is defined, changed or deleted."""
        ...

    def contracts(self) -> list[Contract]:
        """The newest contract of every model."""
        ...

    def monitors(self) -> list[Monitor]:
        """All monitors."""
        ...

    def rebuilds(self) -> dict[str, int]:
        """By model the number of the rebuild that was asked for last."""
        ...


class Definition(NamedTuple):
    """The newest contract of a model, its monitors by name, and the number of the rebuild that was asked for last (0: none)."""

    contract: Contract
    monitors: list[Monitor]
    rebuild: int = 0


class Defined:
    """The definitions of all models. Threads share it."""

    def __init__(self, control: Control) -> None:
        self._control, self._lock = control, threading.Lock()
        self._revision: int | None = None
        self._found: dict[str, Definition] = {}

    def look(self) -> Mapping[str, Definition]:
        """By model; one question, and three more when something was defined since the last look."""
        with self._lock:
            # Asked first: what is defined meanwhile is read now, and once more at the next look.
            if (revision := self._control.revision()) != self._revision:
                asked = self._control.rebuilds()
                contracts = self._control.contracts()
                found = {contract.model: Definition(contract, [], asked.get(contract.model, 0)) for contract in contracts}
                for monitor in sorted(self._control.monitors(), key=lambda one: one.name):
                    if monitor.model in found:
                        found[monitor.model].monitors.append(monitor)
                self._found, self._revision = found, revision
            return self._found
