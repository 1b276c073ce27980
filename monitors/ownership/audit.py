"""Audits panes against raw events, and repairs those that differ.

Ingest remembers only the newest ids of its own partition, so an id may be in raw events more than once; only the first one in the log counts. And a batch
that was not completed may have left wrong panes. An audit reads whole columns of ids. So it is done in portions, and takes at most a tenth of the time
while there is other work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from core.block import Ints
from core.contract import Contract
from monitors.lease import Lease
from monitors.ownership.rebuild import Rebuild
from monitors.ports import Committed, OutcomeStore, Ranges, Raw

NO_SLOTS = np.zeros(0, np.int64)

_MAX_EVENTS = 500_000  # about how many events an audit reads: their ids take 100 MB while it lasts
_MAX_POSITIONS = 1_000_000  # how many positions an audit covers at most
_PAUSE = 9  # the pause after an audit, as a multiple of its duration


class Audited(NamedTuple):
    """The result of an audit: how many slots it compared, those whose input panes were rebuilt, and those with events that do not count."""

    slots: int
    repaired: list[int]
    with_duplicates: Ints


class Audit:
    """The audits of one model; `clock` returns seconds."""

    def __init__(self, model: str, raw: Raw, outcomes: OutcomeStore, rebuild: Rebuild, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._raw, self._outcomes, self._rebuild, self._clock = model, raw, outcomes, rebuild, clock
        self._next_at = 0.0  # when the next audit may run although there is other work

    def due(self, fresh: Ranges, *, busy: bool) -> Ranges:
        """Of the positions that were not audited yet (`fresh`), those to audit in this step."""
        if len(fresh) == 0 or (busy and self._clock() < self._next_at):
            return {}
        near = {part: (first, min(last, first + _MAX_POSITIONS // len(fresh))) for part, (first, last) in fresh.items()}
        ends = self._raw.portion(self._model, near, _MAX_EVENTS // len(fresh))
        return {part: (first, ends.get(part, last)) for part, (first, last) in near.items()}

    def run(
        self, contract: Contract, fresh: Ranges, slots: Ints, committed: Committed, lease: Lease, to_rebuild: Ints = NO_SLOTS
    ) -> Audited:
        """Audit `slots`, those of the events at these positions among them. Panes of slots in `to_rebuild` are rebuilt in any case."""
        began, with_duplicates = self._clock(), NO_SLOTS
        if fresh:
            lease.check()
            at = self._outcomes.find_contested(self._model, fresh, lease.generation)
            with_duplicates = np.unique(at // contract.pane * contract.pane)
        made = np.union1d(with_duplicates, to_rebuild)
        kept, forced = slots[slots > committed.frozen], made[made > committed.frozen]
        audited, repaired = self._rebuild.reconcile(contract, kept, forced, committed.predictions, lease)
        if fresh:
            self._next_at = self._clock() + _PAUSE * (self._clock() - began)
        return Audited(audited, repaired, with_duplicates)


def fresh(seen: Mapping[str, int], committed: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """The positions first..last of each partition that were committed and are not in `seen`. Positions in Kafka begin at 0."""
    return {part: (seen.get(str(part), -1) + 1, last) for part, last in committed.items() if last > seen.get(str(part), -1)}
