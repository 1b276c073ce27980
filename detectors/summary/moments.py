"""Moments of numbers and sketches of distinct texts, which panes hold for a column besides its counts by bin."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Ints
from core.contract import Column
from detectors.summary.panes import PaneRows
from detectors.summary.sketch import registers


def moments(panes: PaneRows, column: Column, values: Categories | Floats, place: Ints) -> dict[str, Floats]:
    """Moments by pane (P,) of the n values of a column, whose bins are `place` (n,).

    measured: rows, so that panes without moments are known; square: sum of (x - column.middle)^2; absolute: sum of |x|; low, high: the least and the largest
    x, infinite where there is none; outside: numbers outside of `column.range`. Only finite numbers count; of texts there are no moments.
    """
    nothing = np.zeros(len(panes))
    found = {"measured": panes.n.astype(np.float64), **dict.fromkeys(("square", "absolute", "outside"), nothing)}
    if isinstance(values, Categories):
        return found | {"low": nothing + np.inf, "high": nothing - np.inf}
    finite = place < column.null
    whole = bool(finite.all())
    each = panes.spread(values if whole else np.where(finite, values, np.nan))
    there = None if whole else ~np.isnan(each)
    for name, part in (("square", each - column.middle), ("absolute", np.abs(each))):
        if name == "square":
            np.square(part, out=part)  # in its place: to ask for new memory costs as much as to compute
        found[name] = panes.reduce(np.add, part if there is None else np.where(there, part, 0.0))
    low, high = panes.reduce(np.fmin, each), panes.reduce(np.fmax, each)
    found |= {"low": np.where(np.isnan(low), np.inf, low), "high": np.where(np.isnan(high), -np.inf, high)}
    if column.range is not None and (found["low"].min() < column.range[0] or found["high"].max() > column.range[1]):
        found["outside"] = panes.count(finite & ((values < column.range[0]) | (values > column.range[1]))).astype(np.float64)
    return found


def sketch(panes: PaneRows, column: Column, values: Categories | Floats, place: Ints) -> tuple[Ints, Ints, Ints]:
    """A sketch of the texts without a bin of their own: by pane how many registers it fills (P,), and these registers and their ranks, pane after pane."""
    loose = np.zeros(0, np.bool_) if column.numeric else (place == column.values) | (place == column.values + 1)
    if not isinstance(values, Categories) or not loose.any():
        return np.zeros(len(panes), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    used, code = np.unique(values.codes[loose], return_inverse=True)
    pairs = np.unique((panes.rows[:, loose] * len(used) + code).ravel())
    pane, text = np.divmod(pairs, len(used))
    register, rank = (held[text] for held in registers([values.texts[one] for one in used]))
    order = np.lexsort((rank, register, pane))
    pane, register, rank = pane[order], register[order], rank[order]
    last = np.append((pane[1:] != pane[:-1]) | (register[1:] != register[:-1]), [True])
    return np.bincount(pane[last], minlength=len(panes)), register[last], rank[last]


def sketches(parts: list[tuple[Ints, Ints, Ints]]) -> dict[str, pa.Array]:
    """The sketches of several columns as lists, one a pane and column."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.concatenate([each for each, _, _ in parts]))]), pa.int32())
    names = (("register", 1, pa.uint16()), ("rank", 2, pa.uint8()))
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(np.concatenate([part[at] for part in parts])).cast(kind))
        for name, at, kind in names
    }
