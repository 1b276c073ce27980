"""What panes hold of a column of texts: counts by bin, and sketches of distinct texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Ints
from core.contract import Column
from detectors.summary.bins import bins_of_texts
from detectors.summary.panes import PaneRows
from detectors.summary.sketch import registers
from detectors.summary.tally import Tally

Sketch = tuple[Ints, Ints, Ints]
"""By pane how many registers it fills (P,), and these registers and their ranks, pane after pane."""


def summary(panes: PaneRows, column: Column, values: Categories) -> tuple[Tally, Sketch]:
    """Counts of n texts by pane and bin, and a sketch of those without a bin of their own."""
    known = bins_of_texts(column, values.texts)
    loose = (known == column.values) | (known == column.values + 1)
    if len(panes) > 1:
        rows = np.take(loose, values.codes)
        text, code = np.unique(values.codes[rows], return_inverse=True)
        pairs = np.unique((panes.rows[:, rows] * len(text) + code).ravel())
        return panes.tally(np.take(known, values.codes), column.bins), _sketch(panes, values, text, pairs)
    times = np.bincount(values.codes, minlength=len(known))
    count = np.bincount(known, times, column.bins).astype(np.int64)
    cells, text = np.flatnonzero(count), np.flatnonzero(loose & (times > 0))
    return Tally(np.array([0, len(cells)]), cells, count[cells], ()), _sketch(panes, values, text, np.arange(len(text)))


def moments(panes: PaneRows) -> dict[str, Floats]:
    """By pane (P,) what texts have in the place of the moments of numbers."""
    nothing = np.zeros(len(panes))
    held = {"low": nothing + np.inf, "high": nothing - np.inf}
    return held | dict.fromkeys(("square", "absolute", "below", "above", "outside"), nothing)


def no_sketch(panes: PaneRows) -> Sketch:
    """That of a column which is not one of texts."""
    return np.zeros(len(panes), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)


def sketches(parts: list[Sketch]) -> dict[str, pa.Array]:
    """The sketches of several columns as lists, one a pane and column."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.concatenate([each for each, _, _ in parts]))]), pa.int32())
    names = (("register", 1, pa.uint16()), ("rank", 2, pa.uint8()))
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(np.concatenate([part[at] for part in parts])).cast(kind))
        for name, at, kind in names
    }


def _sketch(panes: PaneRows, values: Categories, text: Ints, pairs: Ints) -> Sketch:
    """The sketch of some texts; `pairs` are `pane * len(text) + place in text`, ascending."""
    if not len(pairs):
        return no_sketch(panes)
    pane, code = np.divmod(pairs, len(text))
    register, rank = (held[code] for held in registers([values.texts[one] for one in text]))
    order = np.lexsort((rank, register, pane))
    pane, register, rank = pane[order], register[order], rank[order]
    last = np.append((pane[1:] != pane[:-1]) | (register[1:] != register[:-1]), [True])
    return np.bincount(pane[last], minlength=len(panes)), register[last], rank[last]
