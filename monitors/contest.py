"""Looks for ids that stand in several partitions: of such events the first in the log counts, and what the others added is taken out.

Ingest cannot see them, for it knows its own partition only. The look reads the whole column of ids, so it is taken in portions, and at most a tenth
of the time while there is other work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from core.block import Ints
from monitors.seam import Ranges, Truth
from monitors.term import Term

_PORTION = 1_000_000  # positions a look
_REST = 9  # times as long as the look took


class Contest:
    """The looks of one model's owner; `clock` tells seconds."""

    def __init__(self, model: str, truth: Truth, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._truth, self._clock = model, truth, clock
        self._rested = 0.0  # when the next look may be taken although there is other work

    def due(self, fresh: Ranges, *, busy: bool) -> Ranges:
        """Of the positions that were not looked at yet, those to look at in this step."""
        if len(fresh) == 0 or (busy and self._clock() < self._rested):
            return {}
        most = _PORTION // len(fresh)
        return {part: (first, min(last, first + most)) for part, (first, last) in fresh.items()}

    def look(self, ranges: Ranges, term: Term, pane: int) -> Ints:
        """Find the events that do not count; the slots that hold them."""
        began = self._clock()
        term.check()
        at = self._truth.contest(self._model, ranges, term.generation)
        self._rested = self._clock() + _REST * (self._clock() - began)
        return np.unique(at // pane * pane)


def fresh(seen: Mapping[str, int], committed: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """The positions first..last of each partition that were committed and not seen. Those of Kafka begin at 0."""
    return {part: (seen.get(str(part), -1) + 1, last) for part, last in committed.items() if last > seen.get(str(part), -1)}
