"""What a reference tells of the categories that it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.block import Floats, Ints
from core.contract import Column
from detectors.evidence import Counts
from detectors.groups import GROUPS, groups


def once(column: Column, binned: Ints, every: Floats, counts: Floats) -> Floats | None:
    """How many rows of each segment are the only ones of their category in the whole reference: (segments,), None where no such row is outside of the nine largest groups.

    every: (bins,) of the whole reference; counts: (segments, bins). Those of `other` are spread over segments as its rows are. A contract from before does not tell how many these
    are: then as few as there can be.
    """
    if column.numeric or len(binned) != column.bins:
        return None
    single = (every == 1) & (binned == GROUPS - 1)
    single[column.values :] = False
    rest, of_rest = len(column.others), every[column.values]
    known = max(0.0, 2 * rest - of_rest) if column.once is None else float(column.once)
    if not (single.any() or known):
        return None
    return np.asarray(counts[..., single].sum(-1) + counts[..., column.values] * (known / max(of_rest, 1.0)))


def as_new(window: Counts, rest: Counts, place: int) -> tuple[Counts, Counts]:
    """The sides of windows of the reference with the groups that each rest (windows, segments, bins) gives without the window, of the segment at this place: (windows, 1, bins).

    Which of many categories are the nine largest is partly luck. Groups that a window has had a part in fit it better than they fit windows to come.
    """
    if window.column.numeric or window.column.values < GROUPS:
        return window, rest
    binned = groups(window.column, rest.counts[..., place, :])[..., None, :]
    return replace(window, groups=binned), replace(rest, groups=binned)


def expecting(baseline: Counts) -> Counts:
    """The counts of a reference as a window to come will show them if nothing moves: as many rows of categories that are new as the reference has rows of categories that it saw once.

    They are taken from the categories outside of the nine largest. Without this, a column of many categories has in every window what the reference has in none. Source: Good 1953
    (Turing's estimate of the chance of what was not seen: the share of what was seen once).
    """
    if baseline.once is None:
        return baseline
    others = baseline.groups == GROUPS - 1
    held = baseline.counts[..., others].sum(-1)
    new = np.minimum(baseline.once, held)
    counts = np.where(others, baseline.counts * (1 - new / np.maximum(held, 1.0))[..., None], baseline.counts)
    counts[..., baseline.column.values + 1] += new
    return replace(baseline, counts=counts, once=None)
