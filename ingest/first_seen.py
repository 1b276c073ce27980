"""Keeps of each prediction id the first event, and only that.

Of its own partition and of lower positions only: memory for what is still being written, the store for the rest. A look-up that could see the
batch's own rows would turn a replay into nothing, and one that could see other partitions would answer differently each time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from core.block import Predictions
from core.contract import Contract
from ingest.bloom import Bloom, hashes
from ingest.record import Events
from ingest.seam import Seen


class FirstSeen:
    """The first-seen check of one partition.

    `before` is the position from which ingest goes on; `written` tells the next position that is not written yet. What the store already has is
    read with the first batch: the store may be away until then.
    """

    def __init__(self, seen: Seen, partition: int, before: int, written: Callable[[], int]) -> None:
        self._seen = seen
        self._partition = partition
        self._before = before
        self._written = written
        self._unwritten: deque[tuple[int, dict[str, set[str]]]] = deque()

    @cached_property
    def _filter(self) -> Bloom:
        known = Bloom()
        for model, ids in self._seen.ids(self._partition, self._before):
            known.add(hashes(model, ids))
        return known

    def __call__(self, events: Events) -> Events:
        """Drop the rows whose id was seen before, and count them."""
        while self._unwritten and self._unwritten[0][0] < self._written():
            self._unwritten.popleft()
        fresh: dict[str, set[str]] = {}
        kept, duplicates = [], dict(events.duplicates)
        for contract, block in events.predictions:
            rows = self._fresh(contract, block, events.batch.first, fresh.setdefault(contract.model, set()))
            if dropped := len(block) - len(rows):
                duplicates[contract.model] = duplicates.get(contract.model, 0) + dropped
            kept.append((contract, block if not dropped else block.take(rows)))
        self._unwritten.append((events.batch.last, fresh))
        return replace(events, predictions=kept, duplicates=duplicates)

    def _fresh(self, contract: Contract, block: Predictions, first: int, fresh: set[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Indices of the rows to keep, in order; adds their ids to `fresh`."""
        keys = hashes(contract.model, block.id)
        perhaps = set(block.id[self._filter.may_have(keys)].tolist())
        if perhaps:
            taken = self._seen.known(contract.model, self._partition, first, sorted(perhaps))
            taken |= {key for _, known in self._unwritten for key in perhaps & known.get(contract.model, set())} | (perhaps & fresh)
        else:
            taken = set()
        ids = block.id.tolist()
        unique = dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))  # the first row of each id
        if len(unique) == len(ids) and not taken:
            rows = np.arange(len(ids))
        else:
            rows = np.array(sorted(row for key, row in unique.items() if key not in taken), np.intp)
        fresh.update(block.id[rows].tolist())
        self._filter.add(keys[rows])
        return rows
