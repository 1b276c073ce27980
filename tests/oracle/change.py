"""Changes that detectors of river find in the errors of labelled rows, in order of their time (docs/measures.md). Plainly, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from river import drift

from tests.oracle.found import NOTHING, Asked, Found, Lookup
from tests.oracle.rows import Rows

MEASURES = ("change.adwin", "change.kswin", "change.page_hinkley", "change.ddm", "change.eddm", "change.hddm_a", "change.hddm_w")
_HOUR = 3_600_000_000
_MADE = {
    "adwin": drift.ADWIN,
    "kswin": drift.KSWIN,
    "page_hinkley": drift.PageHinkley,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "hddm_a": drift.binary.HDDMA,
    "hddm_w": drift.binary.HDDMW,
}


def lookup(asked: Asked) -> Lookup:
    """How many changes are found in the errors of a window."""
    monitor, _, _, live, grouping, length, every, _ = asked

    @cache
    def found(segment: str) -> npt.NDArray[np.int64]:
        held = live.labelled & (live.segments[grouping] == segment)
        return _times(monitor["measure"].removeprefix("change."), live, np.flatnonzero(held), dict(monitor.get("params", {})))

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        n = len(live.members(grouping, length, every, True).get((start, segment), ()))
        times = found(segment)
        return (Found(float(((start <= times) & (times < start + length)).sum()), n) if n else NOTHING), None

    return find


def _times(name: str, rows: Rows, held: npt.NDArray[np.int64], params: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """The times of the rows at which changes are found. Rows are cut into blocks, by whole hours; a detector begins with the block before."""
    own = {key: value for key, value in params.items() if key not in ("of", "rows", "wait")} | ({"seed": 1} if name == "kswin" else {})
    outcomes = rows.outcomes()
    wrong = (outcomes.prediction != outcomes.label)[held].astype(float)
    times = rows.times[held]
    order = np.lexsort((wrong, times))
    wrong, times = wrong[order], times[order]
    drawn = [_hash(int(time) + (row - int(np.searchsorted(times, time))) * 0x9E3779B97F4A7C15) for row, time in enumerate(times)]
    order = np.lexsort((np.array(drawn, np.uint64), times))  # rows of one time in the order of a hash of their rank
    wrong, times = wrong[order], times[order]
    earlier = np.searchsorted(times, times // _HOUR * _HOUR)  # rows before the hour of each
    block = earlier // params.get("rows", 50_000)
    found = []
    blocks = np.unique(block).tolist()
    for place, one in enumerate(blocks):
        first = int(np.searchsorted(block, blocks[max(place - 1, 0)]))
        detector = _MADE[name](**own)
        for row in range(first, int(np.searchsorted(block, one, "right"))):
            detector.update(wrong[row])
            if detector.drift_detected and block[row] == one:
                found.append(times[row])
    return np.array(found, np.int64)


def _hash(number: int) -> int:
    """The finalizer of SplitMix64."""
    most = 2**64 - 1
    x = number & most
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & most
    x = (x ^ x >> 27) * 0x94D049BB133111EB & most
    return x ^ x >> 31
