"""Bins: made once from a reference, then frozen in the contract; every value falls into exactly one."""

from __future__ import annotations

import numpy as np

from core.block import Categories, Floats, Ints
from core.contract import Column
from core.text import INVALID, NULL

KEPT = 500  # categories with a bin of their own
ATOM = 50  # a value that makes one in so many rows, or more, is its own bin

_QUANTILES = np.arange(1, 50) / 50


def edges(x: Floats) -> tuple[float, ...]:
    """The edges that a reference's numbers give: 49 quantiles, and both sides of every value that makes 2 % of them or more.

    x: (n,), of which only finite values count. Ascending and distinct; empty where there is no finite value.
    Bins are `[a, b)`, open at both ends.
    """
    finite = x[np.isfinite(x)]
    if not len(finite):
        return ()
    values, counts = np.unique(finite, return_counts=True)
    atoms = values[counts * ATOM >= len(finite)]
    quantiles = np.quantile(finite, _QUANTILES, method="inverted_cdf")
    cuts = np.unique(np.concatenate([quantiles, atoms, np.nextafter(atoms, np.inf)]))
    return tuple((cuts[np.isfinite(cuts)] + 0.0).tolist())


def tails(x: Floats) -> tuple[float, float] | None:
    """The reference's p1 and p99 (`inverted_cdf`) of its finite values; None where there are none."""
    finite = x[np.isfinite(x)]
    if not len(finite):
        return None
    low, high = np.quantile(finite, (0.01, 0.99), method="inverted_cdf")
    return float(low), float(high)


def ranked(values: Categories) -> tuple[str, ...]:
    """The distinct texts of a column, most frequent first, ties by name; without null and invalid."""
    counts = np.bincount(values.codes, minlength=len(values.texts))
    seen = [(-int(count), text) for text, count in zip(values.texts, counts, strict=True) if count and text not in {NULL, INVALID}]
    return tuple(text for _, text in sorted(seen))


def kept(values: Categories) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The categories with a bin of their own (the top 500 by count, ties by name), and the others that were seen."""
    texts = ranked(values)
    return texts[:KEPT], texts[KEPT:]


def number_bins(column: Column, x: Floats) -> Ints:
    """The bin of each number: NaN is null, infinity is invalid. x: (n,); returns (n,)."""
    bins = np.searchsorted(np.asarray(column.edges, np.float64), x, side="right")
    bins[np.isnan(x)] = column.null
    bins[x == np.inf] = column.invalid
    return bins


def text_bins(column: Column, values: Categories) -> Ints:
    """The bin of each text: a category, `other`, `unseen`, `null` or `invalid`. Returns (n,)."""
    table = {text: code for code, text in enumerate(column.categories)}
    table |= dict.fromkeys(column.others, column.values)
    table |= {NULL: column.null, INVALID: column.invalid}
    unseen = column.values + 1
    codes = np.array([table.get(text, unseen) for text in values.texts], np.int64)
    return codes[values.codes] if len(codes) else np.zeros(0, np.int64)


def bins(column: Column, values: Categories | Floats) -> Ints:
    """The bin of each value; values of another kind than the column's are a TypeError."""
    if column.numeric and not isinstance(values, Categories):
        return number_bins(column, values)
    if not column.numeric and isinstance(values, Categories):
        return text_bins(column, values)
    raise TypeError(f"column {column.name!r} is {column.kind}, its values are not")
