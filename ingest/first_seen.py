"""Keeps the first event of each prediction id, and drops later ones while the id is remembered.

The check looks only at lower positions of its own partition: at its memory for batches that are still being written, and at the store for the rest.
If it saw the rows of its own batch, a batch that is written again would lose all of them. If it saw other partitions, its answers would change from
attempt to attempt.

The memory is bounded. An event whose id was forgotten is kept a second time, and the owner's audit lets only the first one count. Which ids a batch can
be checked against depends only on the batches below it, and those are finished when it is written. So every attempt to write a batch keeps the same
rows, whichever process makes it: the token names these rows, and neither a crash nor a process that was believed dead can add others. The first event
of an id is always kept, because no row below it has that id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from core.block import Predictions
from core.contract import Contract
from core.pane import slot_of
from ingest.bloom import hashes
from ingest.memory import MOST, RememberedIds
from ingest.ports import KnownIds
from ingest.record import Events


class _Unwritten(NamedTuple):
    """The ids, by model, of a batch that may not be in the store yet."""

    first: int
    last: int
    ids: dict[str, set[str]]


class FirstSeen:
    """The first-seen check of one partition, which remembers `most` ids.

    `before` is the position from which ingest goes on; `written` gives the next position that is not written yet. The ids in the store are
    read with the first batch, because the store may be away until then.
    """

    def __init__(self, seen: KnownIds, partition: int, before: int, written: Callable[[], int], most: int = MOST) -> None:
        self._seen = seen
        self._partition = partition
        self._before = before
        self._written = written
        self._most = most
        self._unwritten: deque[_Unwritten] = deque()

    @cached_property
    def _memory(self) -> RememberedIds:
        memory = RememberedIds(self._most)
        memory.recall(self._seen.batches(self._partition, self._before))
        for first, last in memory.pages(self._before):
            for model, ids in self._seen.ids(self._partition, first, last):
                memory.add(hashes(model, ids), last)
        return memory

    def __call__(self, events: Events) -> Events:
        """Drop the rows whose id was seen before, and count them."""
        batch = events.batch
        while self._unwritten and self._unwritten[0].last < self._written():
            self._unwritten.popleft()
        fresh: dict[str, set[str]] = {}
        kept, duplicates, copies = [], dict(events.duplicates), dict(events.copies)
        for contract, block in events.predictions:
            rows = self._fresh(contract, block, batch.first)
            if dropped := len(block) - len(rows):
                duplicates[contract.model] = duplicates.get(contract.model, 0) + dropped
                copies[contract.model] = np.unique(slot_of(np.delete(block.ts, rows), contract.pane), return_counts=True)
            kept.append((contract, block if not dropped else block.take(rows)))
            fresh[contract.model] = set(kept[-1][1].id.tolist())
        self._unwritten.append(_Unwritten(batch.first, batch.last, fresh))
        self._memory.note(batch.first, sum(map(len, fresh.values())))
        return replace(events, predictions=kept, duplicates=duplicates, copies=copies)

    def _fresh(self, contract: Contract, block: Predictions, first: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Indices of the rows to keep, in order; remembers their ids."""
        keys, since = hashes(contract.model, block.id), self._memory.since(first)
        perhaps = set(block.id[self._memory.may_have(keys)].tolist())
        taken: set[str] = set()
        if perhaps:
            taken = self._seen.known(contract.model, self._partition, since, first, sorted(perhaps))
            for batch in self._unwritten:
                if batch.first >= since:
                    taken |= perhaps & batch.ids.get(contract.model, set())
        ids = block.id.tolist()
        unique = dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))  # the first row of each id
        if len(unique) == len(ids) and not taken:
            rows = np.arange(len(ids))
        else:
            rows = np.array(sorted(row for key, row in unique.items() if key not in taken), np.intp)
        self._memory.add(keys[rows], first)
        return rows
