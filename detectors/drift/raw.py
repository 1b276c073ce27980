"""Distances of raw numbers, where bins are too coarse to tell them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.block import Floats
from detectors.evidence import Counts
from detectors.sample import RawRows

REMEDY = "give a newer period as reference, which makes new bins"
COARSE = f"bins too coarse, and raw rows are not there or too many: {REMEDY}"


def of_rows(target: Counts, baseline: Counts, loose: npt.NDArray[np.bool_], distance: Callable[[Floats, Floats], float]) -> Floats:
    """The distance of the raw numbers of both sides at the places (windows, segments) where bins are too `loose`, NaN elsewhere and where rows are missing.

    Every number that was counted must be there.
    """
    found = np.full(loose.shape, np.nan)
    if target.rows is None or (baseline.rows is None and not baseline.of_reference) or not loose.any():
        return found
    n, m = (np.broadcast_to(side.counts[..., : side.column.values].sum(-1), loose.shape) for side in (target, baseline))
    for window, segment in np.argwhere(loose).tolist():
        x = target.rows.numbers((window, segment))
        y = _others(target.rows, baseline, (window, segment))
        if y is not None and len(x) == n[window, segment] and len(y) == m[window, segment]:
            found[window, segment] = distance(x, y)
    return found


def _others(rows: RawRows, baseline: Counts, place: tuple[int, int]) -> Floats | None:
    if baseline.of_reference:
        return rows.numbers_of_reference(place[1])
    return None if baseline.rows is None else baseline.rows.numbers(place)
