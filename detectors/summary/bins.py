"""Bins: made once from a reference, and then fixed in the contract. Every value falls into exactly one bin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints
from core.contract import Column
from core.text import INVALID, NULL
from detectors.summary.lookup import place

KEPT = 500  # categories with a bin of their own
ATOM = 50  # a value that is one in so many rows, or more often, has a bin of its own

_QUANTILES = np.arange(1, 50) / 50


def edges(x: Floats, precision: type[np.floating[Any]] = np.float64) -> tuple[float, ...]:
    """The edges of a reference's numbers: 49 quantiles, and both sides of every value that is 2 % of them or more.

    x: (n,), of which only finite values count. Ascending and distinct; empty if there is no finite value.
    Bins are `[a, b)`, open at both ends. If values were rounded to a smaller `precision`, the sides of a value hold all numbers that round to it: 0.1 is in
    the bin of its float32, 0.10000000149.
    """
    finite = x[np.isfinite(x)]
    if not len(finite):
        return ()
    values, counts = np.unique(finite, return_counts=True)
    atoms = values[counts * ATOM >= len(finite)]
    quantiles = np.quantile(finite, _QUANTILES, method="inverted_cdf")
    lower, upper = _sides(np.unique(np.concatenate([quantiles, atoms])), precision)[0], _sides(atoms, precision)[1]
    cuts = np.unique(np.concatenate([lower, upper]))
    return tuple((cuts[np.isfinite(cuts)] + 0.0).tolist())


def tails(x: Floats, precision: type[np.floating[Any]] = np.float64) -> tuple[float, float] | None:
    """p1 and p99 (`inverted_cdf`) of a reference's finite values, with the numbers that round to them, as for edges; None if there are none."""
    finite = x[np.isfinite(x)]
    if not len(finite):
        return None
    return _between(np.quantile(finite, (0.01, 0.99), method="inverted_cdf"), precision)


def extremes(x: Floats, precision: type[np.floating[Any]] = np.float64) -> tuple[float, float] | None:
    """The least and the largest of a reference's finite values, with the numbers that round to them, as for edges; None if there are none."""
    finite = x[np.isfinite(x)]
    return _between(np.array([finite.min(), finite.max()]), precision) if len(finite) else None


def spread(x: Floats) -> tuple[float, float] | None:
    """The interquartile range and the standard deviation (of the population) of a reference's finite values; None where there are none or they overflow."""
    finite = x[np.isfinite(x)]
    if not len(finite):
        return None
    low, high = np.quantile(finite, (0.25, 0.75))
    with np.errstate(over="ignore", invalid="ignore"):
        apart = finite - finite.mean()
        largest = np.abs(apart).max() or 1.0  # whose square may be too large for a float, or too small
        found = (float(high - low), float((apart / largest).std() * largest) if finite.min() < finite.max() else 0.0)
    return found if np.isfinite(found).all() else None


@lru_cache(1_000)
def atoms(edges: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """Which value bins of a numeric column hold one value: (edges + 1,). Numbers that one float32 stands for are one, where edges lie about it."""
    cuts, found = np.asarray(edges, np.float64), np.zeros(len(edges) + 1, np.bool_)
    low, high = cuts[:-1], cuts[1:]
    with np.errstate(over="ignore", invalid="ignore"):
        small = ((low + high) / 2).astype(np.float32).astype(np.float64)
        below, above = _around(small, np.float32)
    found[1:-1] = (np.nextafter(low, np.inf) == high) | ((below == low) & (above == high))
    found.flags.writeable = False  # one array for all who ask
    return found


def _between(values: Floats, precision: type[np.floating[Any]]) -> tuple[float, float]:
    """Two values, moved so that the numbers that round to them are between them."""
    below, above = np.where(_rounded(values, precision), _around(values, precision), values)
    return float(below[0]), float(above[1])


def _sides(values: Floats, precision: type[np.floating[Any]]) -> tuple[Floats, Floats]:
    """For each value the least number that counts as it, and the least number above those."""
    rounded = _rounded(values, precision)
    below, above = _around(values, precision)
    return np.where(rounded, below, values), np.where(rounded, above, np.nextafter(values, np.inf))


def _rounded(values: Floats, precision: type[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    """Which values may be the rounded form of another number: 0.10000000149 may be that of 0.1, and 0.5 is none."""
    if precision is np.float64:
        return np.zeros(values.shape, np.bool_)
    return np.array([float(str(precision(value))) != value for value in values], np.bool_)


def _around(values: Floats, precision: type[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Half way from each value to its neighbours in a precision."""
    small = values.astype(precision)
    below, above = (np.nextafter(small, precision(side)).astype(np.float64) for side in (-np.inf, np.inf))
    return (values + below) / 2, np.where(np.isfinite(above), (values + above) / 2, np.nextafter(values, np.inf))


def ranked(values: Categories) -> tuple[str, ...]:
    """The distinct texts of a column, most frequent first, ties by name; without null and invalid."""
    counts = np.bincount(values.codes, minlength=len(values.texts))
    seen = [(-int(count), text) for text, count in zip(values.texts, counts, strict=True) if count and text not in {NULL, INVALID}]
    return tuple(text for _, text in sorted(seen))


def kept(values: Categories) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The categories with a bin of their own (the top 500 by count, ties by name), and the others that were seen."""
    texts = ranked(values)
    return texts[:KEPT], texts[KEPT:]


def once(values: Categories, texts: Collection[str]) -> int:
    """How many of some of its texts a column holds once."""
    counts, wanted = np.bincount(values.codes, minlength=len(values.texts)), set(texts)
    return sum(text in wanted for text, count in zip(values.texts, counts.tolist(), strict=True) if count == 1)


def number_bins(column: Column, x: Floats) -> Ints:
    """The bin of each number: NaN is null, infinity is invalid. x: (n,); returns (n,)."""
    bins = place(column.edges, x)
    if not np.isfinite(x).all():
        bins[np.isnan(x)] = column.null
        bins[x == np.inf] = column.invalid
    return bins


def text_bins(column: Column, values: Categories) -> Ints:
    """The bin of each row's text. Returns (n,)."""
    known = bins_of_texts(column, values.texts)
    return np.take(known, values.codes) if len(known) else np.zeros(0, np.int64)


def bins_of_texts(column: Column, texts: Sequence[str]) -> Ints:
    """The bin of each text: a category, `other`, `unseen`, `null` or `invalid`. Returns (texts,)."""
    table = {text: code for code, text in enumerate(column.categories)}
    table |= dict.fromkeys(column.others, column.values)
    table |= {NULL: column.null, INVALID: column.invalid}
    unseen = column.values + 1
    return np.array([table.get(text, unseen) for text in texts], np.int64)


def bins(column: Column, values: Categories | Floats) -> Ints:
    """The bin of each value; values of another kind than the column's are a TypeError."""
    if column.numeric and not isinstance(values, Categories):
        return number_bins(column, values)
    if not column.numeric and isinstance(values, Categories):
        return text_bins(column, values)
    raise of_another_kind(column)


def placed(column: Column, values: Categories | Floats) -> Callable[[slice], Ints]:
    """What gives the bins of a slice of the values: to keep those of all rows and columns would take much memory."""
    if isinstance(values, Categories):
        known = bins_of_texts(column, values.texts)
        return lambda rows: np.take(known, values.codes[rows])
    return lambda rows: number_bins(column, values[rows])


def of_another_kind(column: Column) -> TypeError:
    """The error of values that are not of their column's kind."""
    return TypeError(f"column {column.name!r} is {column.kind}, its values are not")
