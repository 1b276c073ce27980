"""Parts of a period by which its events are counted where there are too many to look at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_PARTS = 96  # of a period at least, or one a slot
_TURN = 0.6180339887498949  # steps of the golden ratio place each part elsewhere in its stratum, evenly and the same each time


class Drawn(NamedTuple):
    """A condition on `ts`, and by the start of each slot which share of its time that covers."""

    sql: str
    shares: Mapping[int, float]

    def estimated(self, counts: Mapping[int, int]) -> dict[int, int]:
        """What is expected in whole slots of which these were counted."""
        return {slot: round(n / self.shares[slot]) for slot, n in counts.items()}


def drawn(low: int, high: int, step: int, share: float) -> Drawn:
    """A share of each slot of `step` microseconds in `[low, high)`: each slot is cut into as many strata, and of each stratum a part is taken. The table is sorted by time, so what lies between is not read."""
    first = low // step * step
    slots = range(first, high, step)
    strata = max(1, -(-_PARTS // len(slots)))
    bounds, shares, turn = list[str](), dict[int, float](), 0
    for slot in slots:
        start, end = max(slot, low), min(slot + step, high)
        covered = 0
        for place in range(strata):
            left, right = (start + (end - start) * at // strata for at in (place, place + 1))
            length = min(right - left, max(1, round((right - left) * share)))
            begin = left + int((right - left - length) * (turn * _TURN % 1))
            turn += 1
            if length:
                bounds.append(f"ts >= fromUnixTimestamp64Micro({begin}, 'UTC') AND ts < fromUnixTimestamp64Micro({begin + length}, 'UTC')")
            covered += length
        shares[slot] = covered / (end - start)
    return Drawn(f"({' OR '.join(bounds)})", shares)
