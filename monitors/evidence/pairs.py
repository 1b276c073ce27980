"""Reads the labelled rows of two sides of a comparison, and pairs those that answer one request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints, Outcomes
from core.classes import Classes
from core.contract import Contract
from core.segment import Segments
from core.span import Spans
from detectors.compare.difference import DifferenceParams
from detectors.compare.loss import RowLoss
from detectors.compare.sums import Amounts, Pairs
from detectors.summary.loss import LossRows
from monitors.evidence import scores
from monitors.evidence.labelled_rows import paired
from monitors.evidence.reads import Reads

MOST = 2_000_000  # labelled rows of a side in a window that are read
_AT_ONCE = 200_000  # of both sides


class WindowSums(NamedTuple):
    """What is summed of the rows of windows (windows, segments): the losses of a and of b, and pairs, each with its later row in the window; and how many labelled rows of each side there are (windows,)."""

    a: Amounts
    b: Amounts
    pairs: Pairs
    rows_a: Ints
    rows_b: Ints

    @property
    def arrays(self) -> list[npt.NDArray[Any]]:
        """All of them, one after the other."""
        pairs = self.pairs
        return [*self.a, *self.b, *pairs.a, *pairs.b, *pairs.more, *pairs[3:], self.rows_a, self.rows_b]

    @staticmethod
    def of(arrays: Iterable[npt.NDArray[Any]]) -> WindowSums:
        """The sums of such arrays."""
        each = list(arrays)
        a, b, of_a, of_b, more = (Amounts(*each[place : place + 3]) for place in range(0, 15, 3))
        return WindowSums(a, b, Pairs(of_a, of_b, more, *each[15:20]), *each[20:])

    def padded(self, windows: int) -> WindowSums:
        """The sums, with nothing in further windows up to so many."""
        return WindowSums.of(np.pad(one, ((0, windows - len(one)), *(((0, 0),) * (one.ndim - 1)))) for one in self.arrays)


class SideRows(NamedTuple):
    """Labelled rows of a side that have a loss, in order of time and id: what they lose, what the model said, and what pairs them. `every`: the times of all labelled rows, in any order."""

    ts: Ints
    loss: Floats
    said: npt.NDArray[np.object_]
    id: npt.NDArray[np.object_]
    key: npt.NDArray[np.object_]
    dimensions: dict[str, Categories]
    every: Ints


@dataclass(frozen=True)
class Place:
    """The windows and segments of a comparison."""

    contract: Contract
    windows: Spans
    segments: tuple[str, ...]

    def amounts(self, side: SideRows) -> Amounts:
        """The losses of a side's rows, by window and segment."""
        row, place = self._of(side.ts, side.dimensions)
        return self._amounts(side.loss[row], place)

    def pairs(self, a: SideRows, b: SideRows) -> Pairs:
        """The pairs of two sides, each in the window of its later row and in the segments of b's."""
        places = np.array(_matched(a, b, (self._ranks(a.ts), self._ranks(b.ts))), np.int64).reshape(-1, 2)
        first, second = places[:, 0], places[:, 1]
        row, place = self._of(np.maximum(a.ts[first], b.ts[second]), {name: held.take(second) for name, held in b.dimensions.items()})
        lost_a, lost_b = a.loss[first][row], b.loss[second][row]
        more = lost_b - lost_a
        differ = a.said[first][row] != b.said[second][row]
        return Pairs(
            a=self._amounts(lost_a, place),
            b=self._amounts(lost_b, place),
            more=self._amounts(more, place),
            apart=self._most(np.abs(more), place),
            lost=self._most(np.maximum(np.abs(lost_a), np.abs(lost_b)), place),
            only_a=self._count(place[(lost_a == 0) & (lost_b > 0)]),
            only_b=self._count(place[(lost_b == 0) & (lost_a > 0)]),
            differ=self._count(place[differ]),
        )

    def counted(self, ts: Ints) -> Ints:
        """How many times are in each window: (windows,)."""
        ordered = np.sort(ts)
        return np.asarray(np.searchsorted(ordered, self.windows.end) - np.searchsorted(ordered, self.windows.start), np.int64)

    def _of(self, ts: Ints, dimensions: dict[str, Categories]) -> tuple[npt.NDArray[np.intp], Ints]:
        """The rows and their places; a row comes once for each of its segments."""
        held = scores.places(ts, dimensions, Segments(self.contract), (self.windows,), self.segments)
        return np.concatenate([row for row, _ in held]), np.concatenate([place for _, place in held])

    def _ranks(self, ts: Ints) -> Ints:
        """The number of the window of each time, with a gap where windows do not follow each other."""
        after = np.concatenate([[0], np.cumsum(np.where(self.windows.start[1:] == self.windows.end[:-1], 1, 2))])
        return np.asarray(after[np.clip(np.searchsorted(self.windows.end, ts, "right"), 0, len(after) - 1)], np.int64)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.windows), len(self.segments)

    def _count(self, place: Ints) -> Floats:
        return np.bincount(place, minlength=self._shape[0] * self._shape[1]).astype(np.float64).reshape(self._shape)

    def _most(self, value: Floats, place: Ints) -> Floats:
        found = np.zeros(self._shape[0] * self._shape[1])
        np.maximum.at(found, place, value)
        return found.reshape(self._shape)

    def _amounts(self, value: Floats, place: Ints) -> Amounts:
        """Summed in an order of their own: a sum of floats depends on it, and rows come in any."""
        order = np.lexsort((value, place))
        place, value, size = place[order], value[order], self._shape[0] * self._shape[1]
        n = np.bincount(place, minlength=size).astype(np.float64)
        mean = np.asarray(np.bincount(place, value, size) / np.maximum(n, 1.0), np.float64)
        centred = np.asarray(np.bincount(place, (value - mean[place]) ** 2, size), np.float64)
        return Amounts(n.reshape(self._shape), mean.reshape(self._shape), centred.reshape(self._shape))


def window_sums(both: tuple[Reads, Reads], windows: Spans, rows: Floats, loss: RowLoss, of: object, params: DifferenceParams) -> WindowSums:
    """The sums `of` a measure of windows that are disjoint, with about `rows` (windows,) labelled rows. They depend on the rows of the window and of the one before it, and are kept while these stay the same: a closed window costs what its own rows cost."""
    follows = np.concatenate([[False], windows.start[1:] == windows.end[:-1]])
    before = np.where(follows, np.arange(len(windows)) - 1, -1).tolist()
    named = ("pairs", str(of), params.pair, params.separator, both[1].scope.version, both[1].scope.role)

    def made(missing: list[int]) -> list[WindowSums]:
        cuts = np.flatnonzero((np.diff(missing) != 1) | (np.diff(np.cumsum(rows[missing]) // _AT_ONCE) != 0)) + 1
        found = list[WindowSums]()
        for chunk in np.split(np.array(missing), cuts):
            first = int(chunk[0]) - int(follows[chunk[0]])
            some = windows.take(slice(first, int(chunk[-1]) + 1))
            place = Place(both[0].scope.model.contract, some, both[0].scope.segments)
            a, b = (rows_of(reads, some, loss, params) for reads in both)
            whole = WindowSums(place.amounts(a), place.amounts(b), place.pairs(a, b), place.counted(a.every), place.counted(b.every))
            found += [WindowSums.of(one[at : at + 1] for one in whole.arrays) for at in (chunk - first).tolist()]
        return found

    held = both[0].of_windows(named, windows, made, before)
    return WindowSums.of(np.concatenate(each) for each in zip(*(one.arrays for one in held), strict=True))


def rows_of(reads: Reads, windows: Spans, loss: RowLoss, params: DifferenceParams) -> SideRows:
    """The labelled rows of a side over windows that have a loss."""
    contract, every = reads.scope.model.contract, [np.zeros(0, np.int64)]
    names = [one.name for one in contract.dimensions]
    nothing = np.zeros(0, object)
    parts = [(np.zeros(0, np.int64), np.zeros(0), nothing, nothing, nothing)]
    dimensions = {name: [Categories.of([])] for name in names}
    for block in reads.outcomes(reads.slots_of((windows,)), keys=True) if len(windows) else ():
        labelled = block.take(np.flatnonzero(paired(block)))
        every.append(labelled.ts)
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.asarray(loss.of(LossRows(contract, labelled)), np.float64)
        there = np.flatnonzero(np.isfinite(value))
        known = labelled.take(there)
        ids, requests = (np.asarray(one, object) for one in (known.id, known.request))
        parts.append((known.ts, value[there], _said(contract, known), ids, _keys(ids, requests, params)))
        for name in names:
            dimensions[name].append(known.dimensions[name])
    flat = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    order = _ordered(flat[0], flat[3])
    ts, value, said, ids, key = (one[order] for one in flat)
    held = {name: Categories.concat(some).take(order) for name, some in dimensions.items()}
    return SideRows(ts, value, said, ids, key, held, np.concatenate(every))


def _ordered(ts: Ints, ids: npt.NDArray[np.object_]) -> npt.NDArray[np.intp]:
    """The order of rows by time and id. Texts are compared only of rows of one time."""
    order = np.argsort(ts, kind="stable")
    same = np.concatenate([[False], np.diff(ts[order]) == 0, [False]])
    tied = same[:-1] | same[1:]
    some = order[tied[: len(order)]]
    order[tied[: len(order)]] = some[np.lexsort((ids[some].astype(str), ts[some]))]
    return order


def _said(contract: Contract, block: Outcomes) -> npt.NDArray[np.object_]:
    """The predictions of rows: numbers, or the classes that they mean."""
    if not isinstance(block.prediction, Categories):
        return np.asarray(block.prediction, object)
    known = Classes.of(contract).column(block.prediction)
    return np.array([*known.texts, None], object)[known.codes]


def _keys(ids: npt.NDArray[np.object_], requests: npt.NDArray[np.object_], params: DifferenceParams) -> npt.NDArray[np.object_]:
    """What rows that go together have in common, "" for a row that goes with none."""
    if params.pair == "none":
        return np.full(len(ids), "", object)
    if params.pair == "request_id":
        return requests
    words = [one.rpartition(params.separator)[0] if params.pair == "prefix" else one.partition(params.separator)[2] for one in ids.tolist()]
    return np.array([*words, None], object)[:-1]


def _matched(a: SideRows, b: SideRows, ranks: tuple[Ints, Ints]) -> list[tuple[int, int]]:
    """The places of pairs in both sides. Rows of one request go together if they are in one window or in two that follow each other, by the rank of each row's; then of each side the first counts. A row that is on both sides is no pair."""
    first, second = (_first(side.key, rank) for side, rank in zip((a, b), ranks, strict=True))
    found = []
    for (key, rank), place in second.items():
        before = (key, rank - 1)
        if before in first:
            if before not in second:
                found.append((first[before], place))
        elif before not in second and (key, rank) in first:
            found.append((first[key, rank], place))
    found += [
        (place, second[key, rank - 1]) for (key, rank), place in first.items() if (key, rank - 1) in second and (key, rank - 1) not in first
    ]
    return [(one, other) for one, other in found if a.id[one] != b.id[other]]


def _first(keys: npt.NDArray[np.object_], ranks: Ints) -> dict[tuple[str, int], int]:
    """The first row of each key in each window; rows come in order."""
    found: dict[tuple[str, int], int] = {}
    for place, (key, rank) in enumerate(zip(keys.tolist(), ranks.tolist(), strict=True)):
        if key:
            found.setdefault((key, rank), place)
    return found
