"""Replicates of a stationary stream: a reference of some days, and the windows of a day each that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from core.block import Categories, Ints
from core.contract import PREDICTION
from core.moment import DAY
from validation.public import Data
from validation.stream import Draw, Generator, Population, Rows, cells, drawn, slots
from validation.world import Binned, Values, World

REFERENCE = 30  # days


class Replicate(NamedTuple):
    """Rows, and which of them are in the days of the reference and in the windows after it. `sample`: bins are made from these rows.

    `rows` is how many a window holds on average.
    """

    columns: Mapping[str, Values]
    reference: Draw
    windows: Draw
    sample: Ints
    rows: int

    def world(self) -> World:
        """The model in memory."""
        binned = Binned.of(self.columns, self.sample, self.rows)
        days, later = np.arange(self.reference.windows), self.reference.windows + np.arange(self.windows.windows)
        return World(binned.contract, (slots(days), cells(binned, self.reference)), (slots(later), cells(binned, self.windows)))


class Stationary(NamedTuple):
    """A stream of which replicates are made; `replicate` gets a generator and how many windows follow the reference."""

    name: str
    rows: str
    replicate: Callable[[Generator, int], Replicate]


def resampled(population: Population, n: int) -> Stationary:
    """Each window holds n rows, drawn with replacement; where days of the week differ, from the rows of that day."""

    def replicate(rng: Generator, windows: int) -> Replicate:
        days = np.arange(REFERENCE + windows)
        draw = drawn(population, days, n, rng)
        reference = draw.take(0, REFERENCE)
        sample = reference.index if isinstance(reference, Rows) else np.repeat(np.arange(len(population)), reference.times.sum(0))
        return Replicate(population.columns, reference, draw.take(REFERENCE, len(days)), sample, n)

    return Stationary(population.name, f"{n:,}", replicate)


def permuted(data: Data, columns: Mapping[str, Values], length: int = DAY) -> Stationary:
    """The real days (or weeks, by `length`) of a data set in random order: those of the reference, then those of the windows, all different.

    Each takes the place of a day. If there are fewer than are asked for, there are fewer windows.
    """
    days, of_row = np.unique(data.ts // length, return_inverse=True)

    def replicate(rng: Generator, windows: int) -> Replicate:
        return _in_order(columns, of_row, rng.permutation(len(days)), windows)

    return Stationary(f"{data.name}, {'days' if length == DAY else 'weeks'} permuted", f"{len(of_row) / len(days):,.0f}", replicate)


def in_blocks(data: Data, columns: Mapping[str, Values], length: int = DAY) -> Stationary:
    """Blocks of seven days of a data set (or of four weeks, where `length` is a week), drawn with replacement: the days of a block stay in their order."""
    each = 7 if length == DAY else 4
    block = data.ts // (each * length) - int(data.ts.min()) // (each * length) - 1  # the first and the last may not be whole
    blocks = int(block.max())
    of_row = np.where((block >= 0) & (block < blocks), block * each + data.ts // length % each, -1)

    def replicate(rng: Generator, windows: int) -> Replicate:
        count = -(-(REFERENCE + windows) // each)
        order = (rng.integers(0, blocks, count)[:, None] * each + np.arange(each)).ravel()
        return _in_order(columns, of_row, order, windows)

    name = "weeks" if length == DAY else "blocks of four weeks"
    return Stationary(f"{data.name}, {name} resampled", f"{np.mean(np.bincount(of_row[of_row >= 0])):,.0f}", replicate)


def day_effects(correlation: float, rows: int = 1_000, columns: int = 20, size: float = 0.05) -> Stationary:
    """Normal columns whose mean differs from day to day by `size` standard deviations; days next to one another are correlated."""

    def replicate(rng: Generator, windows: int) -> Replicate:
        days = REFERENCE + windows
        effect = np.empty((days, columns))
        effect[0] = rng.normal(0, size, columns)
        for day in range(1, days):
            effect[day] = correlation * effect[day - 1] + rng.normal(0, size * np.sqrt(1 - correlation**2), columns)
        values = rng.normal(size=(days, rows, columns)) + effect[:, None]
        flat = values.reshape(-1, columns)
        held: dict[str, Values] = {f"x{place}": flat[:, place].copy() for place in range(columns - 1)}
        held[PREDICTION] = flat[:, -1].copy()
        of_row = np.repeat(np.arange(days), rows)
        return _in_order(held, of_row, np.arange(days), windows)

    return Stationary(f"day effects of {size} sd, correlated {correlation}", f"{rows:,}", replicate)


def rows_of(values: Values, index: Ints) -> Values:
    """Some rows of a column."""
    return values.take(index) if isinstance(values, Categories) else values[index]


def _in_order(columns: Mapping[str, Values], of_row: Ints, order: Ints, windows: int) -> Replicate:
    """The rows of days (-1: of none) in an order of days, which may hold a day more than once."""
    by_day = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[by_day], np.arange(of_row.max() + 2))
    taken = [by_day[starts[day] : starts[day + 1]] for day in order[: REFERENCE + windows].tolist()]
    every = Rows(np.concatenate(taken), np.repeat(np.arange(len(taken)), [len(rows) for rows in taken]), len(taken))
    first = every.take(0, REFERENCE)
    return Replicate(columns, first, every.take(REFERENCE, len(taken)), first.index, round(len(every.index) / len(taken)))
