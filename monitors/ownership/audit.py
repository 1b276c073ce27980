"""Audits what is shown against what came, and mends it.

Ingest knows the newest ids of its own partition only, so an id may stand in raw more than once, and only the first in the log counts; and a batch that
broke off may leave panes that nobody can account for. A look reads whole columns of ids, so it is taken in portions, and at most a tenth of the time
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
from monitors.ports import Committed, Ranges, Raw, Truth

NO_SLOTS = np.zeros(0, np.int64)

_PORTION = 500_000  # events a look, about: their ids take 100 MB while it lasts
_FAR = 1_000_000  # positions a look
_REST = 9  # times as long as the look took


class Audited(NamedTuple):
    """What a look found: how many slots it compared, those whose input panes were made again, and those that hold events that do not count."""

    slots: int
    repaired: list[int]
    beaten: Ints


class Audit:
    """The looks of one model's owner; `clock` tells seconds."""

    def __init__(self, model: str, raw: Raw, truth: Truth, rebuild: Rebuild, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._raw, self._truth, self._rebuild, self._clock = model, raw, truth, rebuild, clock
        self._rested = 0.0  # when the next look may be taken although there is other work

    def due(self, fresh: Ranges, *, busy: bool) -> Ranges:
        """Of the positions that were not looked at yet, those to look at in this step."""
        if len(fresh) == 0 or (busy and self._clock() < self._rested):
            return {}
        near = {part: (first, min(last, first + _FAR // len(fresh))) for part, (first, last) in fresh.items()}
        ends = self._raw.portion(self._model, near, _PORTION // len(fresh))
        return {part: (first, ends.get(part, last)) for part, (first, last) in near.items()}

    def look(self, contract: Contract, fresh: Ranges, slots: Ints, committed: Committed, term: Lease, anyway: Ints = NO_SLOTS) -> Audited:
        """Audit the slots of what came in these positions, and `slots` besides. Panes of slots in `anyway` are made again whatever they hold."""
        began, beaten = self._clock(), NO_SLOTS
        if fresh:
            term.check()
            at = self._truth.contest(self._model, fresh, term.generation)
            beaten = np.unique(at // contract.pane * contract.pane)
            slots = np.union1d(slots, self._raw.touched(self._model, fresh, contract.pane))
        made = np.union1d(beaten, anyway)
        kept, forced = slots[slots > committed.frozen], made[made > committed.frozen]
        audited, repaired = self._rebuild.reconcile(contract, kept, forced, committed.predictions, term)
        if fresh:
            self._rested = self._clock() + _REST * (self._clock() - began)
        return Audited(audited, repaired, beaten)


def fresh(seen: Mapping[str, int], committed: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """The positions first..last of each partition that were committed and not seen. Those of Kafka begin at 0."""
    return {part: (seen.get(str(part), -1) + 1, last) for part, last in committed.items() if last > seen.get(str(part), -1)}
