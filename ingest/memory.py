"""Which ids of a partition are remembered: those of its newest batches, so that memory and start stay the same however long the log is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ingest.bloom import Bloom, Hashes

MOST = 4_000_000  # ids a partition: 16 MB of filter

_BATCHES = 65_536  # a partition: 8 MB
_PAGE = 500_000  # ids to be read at once: each page is a look at the whole table where times and positions do not go together


class RememberedIds:
    """The newest batches that hold `most` ids together; of small ones the newest 65,536.

    What is within reach of a batch is told by the batches below it and by nothing else: whoever writes them down one by one (`note`) and whoever
    reads them back (`recall`) remembers the same.
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
        """A batch of so many ids is over."""
        if rows:
            self._batches.append((first, self._weigh(rows)))
            self._weight += self._weigh(rows)
        while self._weight > self._most:
            self._weight -= self._batches.popleft()[1]
        self._filter.forget(self.since(first + 1))

    def recall(self, batches: Iterable[tuple[int, int]]) -> None:
        """Note what is within reach of batches that were over before: (first position, ids), the newest first, none without ids."""
        for first, rows in batches:
            if self._weight + self._weigh(rows) > self._most:
                return
            self._batches.appendleft((first, self._weigh(rows)))
            self._weight += self._weigh(rows)

    def pages(self, before: int) -> Iterator[tuple[int, int]]:
        """Positions first..last of what is within reach, up to the one `before` which it ends, some batches at a time."""
        held, start = 0, None
        for first, weight in self._batches:
            if start is not None and held + weight > _PAGE:
                yield start, first - 1
                held, start = 0, None
            held, start = held + weight, first if start is None else start
        if start is not None:
            yield start, before - 1

    def add(self, ids: Hashes, position: int) -> None:
        """Remember ids; `position` is one of their batch, or a higher one."""
        self._filter.add(ids, position)

    def may_have(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """For each id, False if it is not remembered."""
        return self._filter.may_have(ids)

    def _weigh(self, rows: int) -> int:
        return max(rows, self._least)
