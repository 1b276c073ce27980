"""Finds the bins of many numbers by a table in place of a binary search, whose branches a processor cannot foresee: eight times as fast."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints

FEW = 2_000  # numbers for which a binary search costs no more
BLOCK = 32_768  # numbers at a time, so that what is computed of them stays in the cache
_CELLS = (1_024, 4_096, 16_384, 65_536)  # sizes of a table
_WIDE = 32  # cells from an edge to the next that suffice, so that few numbers fall into a cell with an edge in it; never more than _CELLS[1] cells for this
_MOST = 3  # edges in a cell; a table with more is no faster
MARK = 1 << 10  # marks a cell with an edge in it; there are fewer edges
_WHOLE = 2.0**52  # from here to twice as much, floats are the whole numbers, and their bits count upwards by one


Shorts = npt.NDArray[np.int16]


class Table(NamedTuple):
    """Cells of equal width from one below the first edge to one above the last. `first` (cells,) counts the edges at or below all numbers of a cell, plus `MARK` if another one is in it;
    in short numbers, for tables of thousands of columns are kept.

    A number x is in the cell to which `x * scale + shift` is rounded, whose bits are `base` for the first cell; no x above `least` makes that sum negative. No cell has more than `most` edges.
    `edges` end with a NaN, which no number reaches.
    """

    scale: float
    shift: float
    least: float
    base: int
    first: Shorts
    most: int
    edges: Floats


class Room(NamedTuple):
    """Memory for a block, used again for the next: to ask for new memory costs as much as to compute. Each at least (numbers of the block,)."""

    number: Floats
    short: Shorts
    found: Ints
    flag: npt.NDArray[np.bool_]

    @staticmethod
    def of(numbers: int) -> Room:
        """Memory for the blocks of so many numbers; its content means nothing."""
        size = min(numbers, BLOCK)
        return Room(np.empty(size), np.empty(size, np.int16), np.empty(size, np.intp), np.empty(size, np.bool_))


Finder = Callable[[Floats, float, Room], tuple[Ints, Ints]]
"""Gives the number of edges at or below each of at most BLOCK finite numbers, of which the second argument is the least, in the memory of `found` or elsewhere; and rows that are yet to be
placed, whose number is MARK or more."""


def finder(edges: tuple[float, ...], numbers: int) -> Finder:
    """What finds the places of many blocks, `numbers` in all, among the same ascending edges."""
    table = table_of(edges) if numbers >= FEW else None
    if table is None:
        cuts, none = np.asarray(edges, np.float64), np.zeros(0, np.intp)
        return lambda x, _, __: (np.searchsorted(cuts, x, side="right"), none)
    return lambda x, lowest, room: (found := room.found[: len(x)], _count(table, x, lowest, found, room))


def place(edges: tuple[float, ...], x: Floats) -> Ints:
    """How many of the ascending edges are at or below each number, as `np.searchsorted(edges, x, side="right")`; any count for NaN and infinity. x: (n,)."""
    table = table_of(edges) if len(x) >= FEW else None
    if table is None:
        return np.searchsorted(np.asarray(edges, np.float64), x, side="right")
    found, room = np.empty(len(x), np.intp), Room.of(len(x))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), BLOCK):
            part, here = x[start : start + BLOCK], found[start : start + BLOCK]
            rows = _count(table, part, float(np.minimum.reduce(part)), here, room)
            if len(rows):
                some = here[rows] - MARK
                _compare(table, part[rows], some, room.number[: len(rows)], room.flag[: len(rows)])
                here[rows] = some
    return found


def _count(table: Table, x: Floats, lowest: float, found: Ints, room: Room) -> Ints:
    """Writes into `found` the edges at or below each of at most BLOCK numbers, of which `lowest` is the least, or NaN. Returns the rows for which that are only those below their cell, plus MARK.

    The cell of a number never falls as the number rises, so only numbers whose cell has an edge must be compared, and only with the edges of that cell. They are compared here if they are many.
    """
    cell = _cells(table, x, lowest, room.number[: len(x)])
    short = table.first.take(cell, out=room.short[: len(x)], mode="clip")  # what is beyond the table is in its first or last cell
    shared = np.greater_equal(short, MARK, out=room.flag[: len(x)])
    np.copyto(found, short)
    if 8 * np.count_nonzero(shared) <= len(x):
        return shared.nonzero()[0]
    np.bitwise_and(found, MARK - 1, out=found)
    _compare(table, x, found, room.number[: len(x)], shared)
    return np.zeros(0, np.intp)


def _cells(table: Table, x: Floats, lowest: float, number: Floats) -> Ints:
    """The cell of each number, in the memory of `number`; below 0 or far too large if it is beyond the table."""
    np.multiply(x, table.scale, out=number)
    np.add(number, table.shift, out=number)
    if not lowest > table.least:
        np.maximum(number, 0.0, out=number)  # the bits of negative numbers count downwards
    cell = number.view(np.int64)
    return np.subtract(cell, table.base, out=cell)


def _compare(table: Table, x: Floats, found: Ints, edge: Floats, flag: npt.NDArray[np.bool_]) -> None:
    """Adds to the edges below the cell of each number those of its cell that it has reached. `edge` and `flag` are memory."""
    for _ in range(table.most):
        table.edges.take(found, out=edge, mode="clip")  # without a check of each place, and of a copy to undo
        np.greater_equal(x, edge, out=flag)
        np.add(found, flag, out=found)


@lru_cache(4_096)
def table_of(edges: tuple[float, ...]) -> Table | None:
    """None if the edges are so uneven, or so close, that a table does not help."""
    if not 2 <= len(edges) < MARK:  # one has no width
        return None
    cuts = np.asarray(edges, np.float64)
    low = float(cuts[0])
    for cells in _CELLS:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scale = float((cells - 1) / (cuts[-1] - cuts[0]))
            shift, least = _WHOLE - low * scale, low - _WHOLE / 2 / scale if scale else 0.0
        if not (0 < scale < np.inf and np.isfinite(shift)):
            return None
        plain = Table(scale, shift, least, 0, np.zeros(0, np.int16), 0, np.append(cuts, np.nan))
        base = int(_cells(plain, cuts[:1], low, np.empty(1))[0]) - 1  # the first cell holds what is below all edges
        cell = _cells(plain._replace(base=base), cuts, low, np.empty(len(cuts)))
        if not 1 < cell[-1] < 2 * cells:  # of floats that are too coarse for so narrow cells
            return None
        each = np.bincount(cell, minlength=int(cell[-1]) + 2)  # edges by cell; the last cell holds what is above all of them
        most = int(each.max())
        if most <= _MOST and (cells >= _CELLS[1] or np.median(np.diff(each.nonzero()[0])) >= _WIDE):
            first = (np.cumsum(each) - each).astype(np.int16)
            first[cell] += MARK
            return plain._replace(base=base, first=first, most=most)
    return None
