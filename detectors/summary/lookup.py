"""Finds the bins of many numbers by a table in place of a binary search, whose branches a processor cannot foresee: five times as fast."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints

FEW = 2_000  # numbers for which a binary search costs no more
_BLOCK = 16_384  # numbers at a time, so that what is computed of them stays in the cache
_CELLS = (1_024, 4_096, 16_384, 65_536)  # sizes of a table
_MOST = 3  # edges in a cell; a table with more is no faster


class _Table(NamedTuple):
    """Cells of equal width from the first edge to the last. `first` (cells,) counts the edges in the cells before each; no cell has more than `most` edges.

    `edges` end with a NaN, which no number reaches.
    """

    low: float
    scale: float
    first: npt.NDArray[np.int32]
    most: int
    edges: Floats


def place(edges: tuple[float, ...], x: Floats) -> Ints:
    """How many of the ascending edges are at or below each number, as `np.searchsorted(edges, x, side="right")`; any count for NaN and infinity. x: (n,)."""
    table = _table(edges) if len(x) >= FEW else None
    if table is None:
        return np.searchsorted(np.asarray(edges, np.float64), x, side="right")
    found = np.empty(len(x), np.intp)
    for start in range(0, len(x), _BLOCK):
        part = x[start : start + _BLOCK]
        found[start : start + _BLOCK] = _of(table, part)
    return found


def _of(table: _Table, x: Floats) -> npt.NDArray[np.int32]:
    """The cell of a number never falls as the number rises, so that only the edges of its own cell must be compared with it."""
    with np.errstate(over="ignore"):
        cell = x - table.low
        cell *= table.scale
    np.fmax(cell, 0.0, out=cell)
    np.fmin(cell, len(table.first) - 1.0, out=cell)
    found = table.first[cell.astype(np.int32)]
    for _ in range(table.most):
        found += x >= table.edges[found]
    return found


@lru_cache(4_096)
def _table(edges: tuple[float, ...]) -> _Table | None:
    """None if the edges are so uneven, or so close, that a table does not help."""
    if len(edges) < 2:  # a width
        return None
    cuts = np.asarray(edges, np.float64)
    with np.errstate(over="ignore", divide="ignore"):
        for cells in _CELLS:
            scale = (cells - 1) / (cuts[-1] - cuts[0])
            if not 0 < scale < np.inf:
                return None
            cell = ((cuts - cuts[0]) * scale).astype(np.int64)
            if (most := int(np.bincount(cell).max())) <= _MOST:
                first = np.searchsorted(cell, np.arange(cells)).astype(np.int32)
                return _Table(float(cuts[0]), float(scale), first, most, np.append(cuts, np.nan))
    return None
