"""Sparse counts by (pane, bin): only the pairs that come are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.block import Floats, Ints

_DENSE = 8  # up to so many cells a code, a dense table is faster than sorting


@dataclass(frozen=True)
class Tally:
    """The (pane, bin) cells with counts, ordered by pane, then bin.

    `offsets` (panes + 1) bounds each pane's cells; `bin`, `count` and each of `sums` are (cells,).
    """

    offsets: Ints
    bin: Ints
    count: Ints
    sums: tuple[Floats, ...]

    def lists(self, values: Ints | Floats | pa.Array, kind: pa.DataType) -> pa.ListArray:
        """Values of the cells as one list a pane."""
        flat = values if isinstance(values, pa.Array) else pa.array(values, kind)
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), flat)


def tally(codes: Ints, panes: int, width: int, *weights: Floats) -> Tally:
    """Counts codes `pane * width + bin`, and sums each of `weights` by code; codes and weights: (n,)."""
    if panes * width <= _DENSE * len(codes) + 4_096:
        dense = np.bincount(codes, minlength=panes * width)
        cells = np.flatnonzero(dense)
        count = dense[cells]
        sums = tuple(np.asarray(np.bincount(codes, weight, panes * width)[cells], np.float64) for weight in weights)
    else:
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(codes) else np.zeros(0, np.int64)
        cells = ordered[starts]
        count = np.diff(np.append(starts, len(codes)))
        sums = tuple(np.asarray(np.add.reduceat(weight[order], starts) if len(codes) else np.zeros(0), np.float64) for weight in weights)
    pane, bins = np.divmod(cells, width)
    return Tally(np.concatenate([[0], np.cumsum(np.bincount(pane, minlength=panes))]), bins, count, sums)


def joined(parts: Sequence[Tally], panes: int) -> Tally:
    """The cells of several tallies of the same panes, by pane, then in order of the tallies."""
    pane = np.concatenate([np.repeat(np.arange(panes), np.diff(part.offsets)) for part in parts])
    order = np.argsort(pane, kind="stable")
    return Tally(
        np.searchsorted(pane[order], np.arange(panes + 1)),
        np.concatenate([part.bin for part in parts])[order],
        np.concatenate([part.count for part in parts])[order],
        tuple(np.concatenate(sums)[order] for sums in zip(*(part.sums for part in parts), strict=True)),
    )
