"""Which events of a period are counted where there are too many to look at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

_PARTS = 96  # of a period at least, or one a slot
_TURN = 0.6180339887498949  # steps of the golden ratio place each part elsewhere in its stratum, evenly and the same each time
_THIN = 0.25  # parts that hold less than so much of the events that they should hold tell too little of their slot;
_UNTOLD = 0.05  # so many of all events may be in such slots
_DEAR = 4  # times as many events as are wanted may be in all parts


class Drawn(NamedTuple):
    """A condition on `ts` and `prediction_id`, and by the start of each slot which share of its events fulfils it."""

    sql: str
    shares: Mapping[int, float]

    def estimated(self, counts: Mapping[int, int]) -> dict[int, int]:
        """What is expected in whole slots of which these were counted. An event that came after the shares were counted stands for itself."""
        return {slot: round(n / (self.shares.get(slot) or 1.0)) for slot, n in counts.items()}


def drawn(low: int, high: int, step: int, most: int, count: Callable[[str], Mapping[int, int]], ids: int = 0) -> Drawn:
    """About `most` events of `[low, high)`, in each slot of `step` microseconds the same share. `count` says by slot how many events fulfil a condition.

    Up to `ids` events they are drawn by a hash of their ids. Of more they are those of a part of each stratum of time: the table is sorted by time, so what lies between is not
    read. Where events do not come evenly enough for that, as those of a batch that have one time, the hash draws them all the same.
    """
    every = count("true")
    many = sum(every.values())
    if many <= most:
        return Drawn("true", dict.fromkeys(every, 1.0))
    if many > ids:
        share = most / many
        sql = _parts(max(low, min(every)), min(high, max(every) + step), step, share)
        held = count(sql)
        untold = sum(n for slot, n in every.items() if held.get(slot, 0) < _THIN * share * n)
        if untold <= _UNTOLD * many and sum(held.values()) <= _DEAR * most:
            return Drawn(sql, {slot: held.get(slot, 0) / n for slot, n in every.items()})
    one_in = -(-many // most)
    return Drawn(f"cityHash64(prediction_id) % {one_in} = 0", dict.fromkeys(every, 1 / one_in))


def _parts(low: int, high: int, step: int, share: float) -> str:
    """The condition of a share of the time of each slot: each is cut into as many strata, and of each stratum a part is taken."""
    slots = range(low // step * step, high, step)
    strata = max(1, -(-_PARTS // len(slots)))
    bounds, turn = list[str](), 0
    for slot in slots:
        start, end = max(slot, low), min(slot + step, high)
        for place in range(strata):
            left, right = (start + (end - start) * at // strata for at in (place, place + 1))
            length = min(right - left, max(1, round((right - left) * share)))
            begin = left + int((right - left - length) * (turn * _TURN % 1))
            turn += 1
            if length:
                bounds.append(f"ts >= fromUnixTimestamp64Micro({begin}, 'UTC') AND ts < fromUnixTimestamp64Micro({begin + length}, 'UTC')")
    return f"({' OR '.join(bounds)})"
