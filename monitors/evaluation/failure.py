"""Errors of monitors. A monitor that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.error import Fenced
from core.monitor import Monitor


class Failures:
    """The errors of one call, by monitor. A monitor that fails is skipped for the rest of the call.

    `check_stores` is called with each error. It raises if the fault is not a monitor's, for example because a store is away.
    """

    def __init__(self, check_stores: Callable[[Exception], None]) -> None:
        self._check_stores = check_stores
        self.errors: dict[str, tuple[Monitor, Exception]] = {}

    @contextmanager
    def of(self, *monitors: Monitor) -> Iterator[None]:
        """Work for some monitors: an error in it counts as theirs, except Fenced and what `check_stores` raises."""
        try:
            yield
        except Fenced:
            raise
        except Exception as error:  # a monitor's failure: its windows stay due
            self._check_stores(error)
            for monitor in monitors:
                self.errors.setdefault(monitor.name, (monitor, error))
