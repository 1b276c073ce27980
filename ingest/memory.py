"""Which ids of a partition are remembered: those of its newest batches. So memory and the time to start do not grow with the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ingest.bloom import Bloom, Hashes

MOST = 4_000_000  # ids a partition: 16 MB of filter

_BATCHES = 65_536  # a partition: 8 MB
_PAGE = 500_000  # ids that are read at once: each page scans the whole table if event times do not follow positions


class RememberedIds:
    """The newest batches, as many as hold `most` ids together, and at most 65,536.

    Which ids are within reach of a batch depends on the batches below it only. So a process that adds batches one by one (`note`) and one that
    reads them back (`recall`) remember the same ids.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most, self._least = most, most // _BATCHES
        self._batches: deque[tuple[int, int]] = deque()  # first position and weight
        self._weight = 0
        self._filter = Bloom(most=max(8, most // 8))

    def since(self, position: int) -> int:
        """The lowest position within reach of a batch that begins at `position`."""
        return self._batches[0][0] if self._batches else position

    def note(self, first: int, rows: int) -> None:
        """Add a batch of `rows` ids that is finished."""
        if rows:
            self._batches.append((first, self._weigh(rows)))
            self._weight += self._weigh(rows)
        while self._weight > self._most:
            self._weight -= self._batches.popleft()[1]
        self._filter.forget(self.since(first + 1))

    def recall(self, batches: Iterable[tuple[int, int]]) -> None:
        """Add those of the finished batches that are within reach. They are (first position, ids), the newest first, none without ids."""
        for first, rows in batches:
            if self._weight + self._weigh(rows) > self._most:
                return
            self._batches.appendleft((first, self._weigh(rows)))
            self._weight += self._weigh(rows)

    def pages(self, before: int) -> Iterator[tuple[int, int]]:
        """Ranges first..last of the positions within reach that are lower than `before`, some batches at a time."""
        held, start = 0, None
        for first, weight in self._batches:
            if start is not None and held + weight > _PAGE:
                yield start, first - 1
                held, start = 0, None
            held, start = held + weight, first if start is None else start
        if start is not None:
            yield start, before - 1

    def add(self, ids: Hashes, position: int) -> None:
        """Remember ids; `position` is a position of their batch, or a higher one."""
        self._filter.add(ids, position)

    def may_have(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """For each id, False if it is not remembered."""
        return self._filter.may_have(ids)

    def _weigh(self, rows: int) -> int:
        return max(rows, self._least)
