"""Stationary streams: populations of rows, and how windows are drawn from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.block import Categories, Floats, Ints
from core.contract import PREDICTION
from core.moment import DAY
from validation.world import START, Binned, Cells, Values

Generator = np.random.Generator


@dataclass(frozen=True)
class Population:
    """Rows that windows are drawn from. `strata` (rows,) is the day of the week of a row, in a stream whose days differ; else all 0."""

    name: str
    columns: Mapping[str, Values]
    strata: Ints

    def __len__(self) -> int:
        return len(self.strata)

    @staticmethod
    def of(name: str, columns: Mapping[str, Values]) -> Population:
        """A population whose rows do not depend on the day."""
        return Population(name, columns, np.zeros(len(columns[PREDICTION]), np.int64))


@dataclass(frozen=True)
class Rows:
    """Windows as rows of a population: row `index[i]` is in window `window[i]`."""

    index: Ints
    window: Ints
    windows: int

    def counts(self, place: Ints, width: int) -> Floats:
        """How many rows of each window have each place in [0, width): (windows, width)."""
        found = np.bincount(self.window * width + place[self.index], minlength=self.windows * width)
        return found.reshape(self.windows, width).astype(np.float64)

    def take(self, first: int, last: int) -> Rows:
        """Some of the windows."""
        inside = (self.window >= first) & (self.window < last)
        return Rows(self.index[inside], self.window[inside] - first, last - first)


@dataclass(frozen=True)
class Multiplicities:
    """Windows as how often each row of a population is in them: (windows, rows)."""

    times: Ints

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return len(self.times)

    def counts(self, place: Ints, width: int) -> Floats:
        """How many rows of each window have each place in [0, width): (windows, width)."""
        return np.array([np.bincount(place, times, width) for times in self.times])

    def take(self, first: int, last: int) -> Multiplicities:
        """Some of the windows."""
        return Multiplicities(self.times[first:last])


Draw = Rows | Multiplicities


def drawn(population: Population, days: Ints, n: int, rng: Generator) -> Draw:
    """Windows of n rows, drawn with replacement from the rows of their day of the week; `days` (windows,) counts from `START`."""
    held = {stratum: np.flatnonzero(population.strata == stratum) for stratum in np.unique(population.strata).tolist()}
    of_day = [held[int(day) % 7 if len(held) > 1 else 0] for day in days]
    if n <= len(population):
        index = np.concatenate([rows[rng.integers(0, len(rows), n)] for rows in of_day])
        return Rows(index, np.repeat(np.arange(len(days)), n), len(days))
    times = np.zeros((len(days), len(population)), np.int64)
    for window, rows in enumerate(of_day):
        times[window, rows] = rng.multinomial(n, np.full(len(rows), 1 / len(rows)))
    return Multiplicities(times)


def cells(binned: Binned, draw: Draw) -> dict[str, Cells]:
    """The panes of windows."""
    widths = {column.name: column.bins for column in binned.contract.summarised}
    return {
        name: Cells(draw.counts(place, widths[name]), draw.counts(binned.below[name], 2)[:, 1], draw.counts(binned.above[name], 2)[:, 1])
        for name, place in binned.places.items()
    }


def slots(days: Ints) -> Ints:
    """The slots of days."""
    return START + days * DAY


def lognormal(rng: Generator, rows: int = 50_000) -> Population:
    """Ten columns with heavy tails, of shape 0.25 to 3."""
    shapes = np.linspace(0.25, 3, 10)
    return _numbers("lognormal", {f"shape {shape:.2f}": rng.lognormal(0, shape, rows) for shape in shapes})


def sparse(rng: Generator, rows: int = 50_000) -> Population:
    """Ten columns that are mostly 0, or null, or both."""

    def one(zero: float, null: float) -> Floats:
        values = np.where(rng.random(rows) < zero, 0.0, np.round(rng.lognormal(2, 1, rows), 2))
        return np.where(rng.random(rows) < null, np.nan, values)

    zeros, nulls = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9, 0.5), (0, 0, 0.01, 0.05, 0, 0.001, 0.02, 0, 0.3, 0.9)
    return _numbers("sparse", {f"{zero:.1%} zero, {null:.1%} null": one(zero, null) for zero, null in zip(zeros, nulls, strict=True)})


def levels(rng: Generator, rows: int = 50_000) -> Population:
    """Five columns of 1,000 categories, from equally frequent ones to a few that dominate."""

    def one(exponent: float) -> Categories:
        shares = np.arange(1, 1_001) ** -exponent
        return Categories(rng.choice(1_000, rows, p=shares / shares.sum()).astype(np.int32), [f"level {place}" for place in range(1_000)])

    columns: dict[str, Values] = {f"exponent {exponent}": one(exponent) for exponent in (0.0, 0.5, 1.0, 1.5, 2.0)}
    return Population.of("1,000 levels", columns | {PREDICTION: rng.normal(size=rows)})


MADE: tuple[Callable[[Generator], Population], ...] = (lognormal, sparse, levels)


def _numbers(name: str, columns: dict[str, Floats]) -> Population:
    last = next(reversed(columns.values()))
    return Population.of(name, {**columns, PREDICTION: last[::-1].copy()})
