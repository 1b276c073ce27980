"""Keeps what trials of a model have read of panes: the measures of a page ask for the same cells of the same segments, and the store is asked once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from threading import Lock

from monitors.evidence.reads import PaneFields, Reads, Scope

_HELD = 16  # scopes of which reads are held
_ROWS = 20_000  # panes of cells that are read at most
# What most measures need, and takes little more than a part of it.
_INPUTS = frozenset({"n", "bin", "count", "below", "above"})
_PERFORMANCE = frozenset(
    {"n", "panes", "delays", "delayed", "cell_label", "cell_prediction", "cell_count"}
    | {"loss", "loss_count", "loss_sum", "loss_square", "largest"}
)


class SharedReads:
    """The reads of the last scopes, each for some seconds under the stamp of its model. Threads share it."""

    def __init__(self, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest, self._clock = longest, clock
        self._held: OrderedDict[Hashable, tuple[float, Reads]] = OrderedDict()
        self._lock = Lock()

    def of(self, scope: Scope, windows: int, stamp: Hashable, make: Callable[[Scope], Reads]) -> Reads:
        """Reads of a scope over so many windows, which find the answers that others got under the same stamp: it changes with whatever panes hold.

        Read is what most measures need, and of all columns if several are needed; what would be too much is read alone.
        """
        if (wide := _widened(scope, windows)) is None:
            return make(scope)
        rows = wide.segments, wide.groupings, wide.version, wide.role, wide.only
        key, now = (wide.model.contract.model, stamp, wide.columns, wide.fields, *rows), self._clock()
        with self._lock:
            until, held = self._held.pop(key, None) or (now, None)
            if held is None or until <= now:
                until, held = now + self._longest, make(wide)
            self._held[key] = until, held
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return held.apart()


def _widened(scope: Scope, windows: int) -> Scope | None:
    columns = scope.columns if len(scope.columns) < 2 else tuple(column.name for column in scope.model.contract.summarised)
    if windows * max(1, len(columns)) * len(scope.segments) > _ROWS:
        return None
    inputs, performance = scope.fields.inputs, scope.fields.performance
    return replace(scope, columns=columns, fields=PaneFields(_INPUTS if inputs else inputs, _PERFORMANCE if performance else performance))
