"""Errors of monitors: one that fails does not spoil the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.error import Fenced
from core.monitor import Monitor


class Failures:
    """The errors of one call, by monitor. One that fails is left alone for the rest of it.

    `reach` is called with each error and raises where it is no monitor's fault, as where a store is away.
    """

    def __init__(self, reach: Callable[[Exception], None]) -> None:
        self._reach = reach
        self.errors: dict[str, tuple[Monitor, Exception]] = {}

    @contextmanager
    def of(self, *monitors: Monitor) -> Iterator[None]:
        """What is done for some monitors; an error in it is theirs. Fenced is of the owner, and what `reach` raises is of the stores."""
        try:
            yield
        except Fenced:
            raise
        except Exception as error:  # one monitor's edge: its windows stay due
            self._reach(error)
            for monitor in monitors:
                self.errors.setdefault(monitor.name, (monitor, error))
