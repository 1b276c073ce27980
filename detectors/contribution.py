"""Which bins make a value: the evidence of measures that are sums over bins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from core import text
from core.block import Floats, Ints
from core.contract import Column
from detectors.documents import Documents
from detectors.sample import RawRows
from detectors.spec import Places
from detectors.summary.bins import atoms

MOST = 8
_DECIMALS = 10  # of shares: less are not read, and two runs still agree to nine
UNSEEN = "unseen"  # the bin of values that the reference does not have
POOL = "merged"  # groups that are too small to stand alone


class _Range(msgspec.Struct, gc=False):
    """What a bin of numbers contributes: the shares of either side, and its part of the sum."""

    bin: str
    target: float
    baseline: float
    share: float


class _Category(msgspec.Struct, gc=False):
    """What a category contributes, likewise."""

    category: str
    target: float
    baseline: float
    share: float


def bin_names(column: Column) -> tuple[str, ...]:
    """The text of each bin: a category, an interval, a number that has a bin of its own, `other`, `unseen`, `null` or `invalid`."""
    if not column.numeric:
        return (*column.categories, text.OTHER, UNSEEN, text.NULL, text.INVALID)
    return (*_ranges(column.edges), text.NULL, text.INVALID)


@lru_cache(1_000)
def _cuts(edges: tuple[float, ...]) -> tuple[str, ...]:
    return ("-inf", *map(text.of, edges), "inf")


@lru_cache(1_000)
def _ranges(edges: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(
        low if single else interval(low, high) for (low, high), single in zip(pairwise(_cuts(edges)), atoms(edges).tolist(), strict=True)
    )


def interval(low: str, high: str) -> str:
    """The text of the numbers from `low` to below `high`."""
    return f"[{low},{high})"


def documents(column: Column, names: Sequence[str], target: Floats, baseline: Floats, terms: Floats) -> Documents:
    """The evidence of sums over bins with these names, of some places: the shares of either side and the terms, each (places, bins).

    A document holds the largest terms that are not 0, `share` being their part of the sum.
    """
    terms = np.nan_to_num(terms, posinf=0.0, neginf=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = terms / terms.sum(-1, keepdims=True)
    # Rounded, for the last digits of a logarithm depend on where in memory the number stands: equal terms come in the order of their bins.
    order = np.argsort(-np.round(share, 12), axis=-1, kind="stable")[:, :MOST]
    sides = (np.take_along_axis(np.broadcast_to(one, terms.shape), order, axis=-1) for one in (target, baseline, share))
    t, b, s = (np.round(one, _DECIMALS) for one in sides)
    held = s > 0
    found = list(
        map(_Range if column.numeric else _Category, np.array(names, object)[order[held]], *(one[held].tolist() for one in (t, b, s)))
    )
    bounds = [0, *np.cumsum(held.sum(-1)).tolist()]
    return Documents(len(terms), contributions=[found[first:last] for first, last in pairwise(bounds)])


def new_values(rows: RawRows | None, n: Floats, unseen: Floats) -> Callable[[Places], list[dict[str, Any]]]:
    """Examples of values that the reference does not have: the most frequent ones, with their share of all n rows and of the rows with such a value; (windows, segments) each.

    Raw rows are read only for places that have such rows.
    """

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = []
        for window, segment in zip(*(axis.tolist() for axis in places), strict=True):
            all_of, new = float(n[window, segment]), float(unseen[window, segment])
            told = rows.unseen((window, segment), MOST) if rows is not None and new > 0 else []
            parts = [{"category": one, "target": count / all_of, "baseline": 0.0, "share": count / new} for one, count in told]
            found.append({"contributions": parts} if parts else {})
        return found

    return evidence


def at(values: Floats, shape: tuple[int, ...], places: Places) -> Floats:
    """Of values that broadcast to (*shape, bins) those at some places: (places, bins)."""
    return np.asarray(np.broadcast_to(values, (*shape, values.shape[-1]))[places])


def group_names(column: Column, groups: Ints) -> tuple[str, ...]:
    """The text of each group of bins (`detectors.groups`), and of the pool of small ones, which comes last."""
    names, found = bin_names(column), []
    for group in range(int(groups.max()) + 1):
        held = np.flatnonzero(groups == group).tolist()
        if len(held) == 1:
            found.append(names[held[0]])
        elif not column.numeric or not held:
            found.append(text.OTHER)
        else:
            cuts = _cuts(column.edges)
            found.append(interval(cuts[held[0]], cuts[held[-1] + 1]))
    return (*found, POOL)
