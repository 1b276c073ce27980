"""How many rows a span is expected to have: by the rate of each hour of the week in the reference, and by how much spans differ from that."""

from __future__ import annotations

import numpy as np

from core import moment
from core.block import Floats, Ints
from core.span import Spans

_WEEK = 7 * moment.DAY


class Season:
    """The rows of T occupied slots (ascending, in microseconds) of `pane` microseconds, for S segments: counts (T, S).

    They are counted by cells of an hour, or of a pane if panes are longer. The rate of an hour of the week is that of its cells between the first slot and the
    last. An hour of the week that is not among them has the rate of its hour of the day, or else that of all cells.
    """

    def __init__(self, slots: Ints, counts: Floats, pane: int) -> None:
        self._cell = max(pane, moment.HOUR)
        first, last = int(slots[0]), int(slots[-1]) + pane
        self._cells = np.arange(first // self._cell, -(-last // self._cell))
        self._rows = np.zeros((len(self._cells), counts.shape[1]))
        np.add.at(self._rows, slots // self._cell - self._cells[0], counts)
        begin, end = self._cells * self._cell, (self._cells + 1) * self._cell
        self._exposure = (np.minimum(end, last) - np.maximum(begin, first)) / self._cell
        self._mean = self._rows.sum(0) / self._exposure.sum()

    def expected(self, spans: Spans) -> Floats:
        """The rows that are expected in n spans: (n, S)."""
        rates = self._rates()
        until = np.concatenate([np.zeros((1, rates.shape[1])), np.cumsum(rates, axis=0)])

        def reached(at: Ints) -> Floats:
            """The rows from the beginning of the week until a time."""
            cell, rest = np.divmod(at % _WEEK, self._cell)
            return np.asarray(until[cell] + rates[cell] * (rest / self._cell)[:, None], np.float64)

        weeks = (spans.end // _WEEK - spans.start // _WEEK)[:, None]
        return np.asarray(weeks * until[-1] + reached(spans.end) - reached(spans.start), np.float64)

    def dispersion(self, length: int) -> tuple[Floats, int]:
        """How much more the rows of whole windows of this length differ from what is expected than rows that are independent do: the mean of
        (rows - expected)^2 / expected, at least 1 (S,). Each window is expected by the others without its neighbours. And how many windows there are.
        """
        each = max(1, length // self._cell)
        window, first = np.unique(self._cells // each, return_index=True)
        whole = np.add.reduceat(self._exposure, first) == each
        if not whole.any():
            return np.ones(self._rows.shape[1]), 0
        rows, expected = (np.add.reduceat(values, first, axis=0)[whole] for values in (self._rows, self._left_out(each)))
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(expected > 0, (rows - expected) ** 2 / expected, 0.0)
        return np.maximum(apart.mean(0), 1.0), len(window[whole])

    def _rates(self) -> Floats:
        """The rows of each cell of the week: (cells of a week, S)."""
        week, day = _WEEK // self._cell, moment.DAY // self._cell
        rates = np.broadcast_to(self._mean, (week, len(self._mean))).copy()
        for cycle in (day, week):
            place = self._cells % cycle
            exposure = np.bincount(place, self._exposure, cycle)
            rows = np.zeros((cycle, len(self._mean)))
            np.add.at(rows, place, self._rows)
            there = np.flatnonzero(exposure > 0)
            found = rows[there] / exposure[there, None]
            for start in range(0, week, cycle):
                rates[start + there] = found
        return rates

    def _left_out(self, each: int) -> Floats:
        """What is expected of each cell (T, S) by the same hour in other weeks, without the window of `each` cells that holds it and its two neighbours."""
        week = _WEEK // self._cell
        origin, place = self._cells[0] // week, self._cells % week
        weeks = int(self._cells[-1] // week - origin) + 1
        rows, exposure = np.zeros((weeks + 1, week, self._rows.shape[1])), np.zeros((weeks + 1, week))
        at = self._cells // week - origin + 1
        rows[at, place], exposure[at, place] = self._rows, self._exposure
        rows, exposure = rows.cumsum(0), exposure.cumsum(0)
        window = self._cells // each
        low, high = (np.clip(-(-((window + side) * each - place) // week) - origin, 0, weeks) for side in (-1, 2))
        others = rows[-1, place] - (rows[high, place] - rows[low, place])
        time = exposure[-1, place] - (exposure[high, place] - exposure[low, place])
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(time[:, None] > 0, others / time[:, None], self._mean)
        return np.asarray(rate * self._exposure[:, None], np.float64)
