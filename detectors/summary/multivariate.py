"""Sums over all features together, from which the maximum mean discrepancy and correlations are computed. They are whole numbers, so that they are the same in any order.

A row's bins stand for its values (docs/measures.md#drift-of-all-features-together): a number is the normal score of its bin in the reference, a category an indicator. Random Fourier
features of such rows are cosines and sines of phases, which are sums over columns; so each bin has a table entry, and a row costs an addition a column.

Where a block has few rows in each of many slots, as a year that is replayed, panes keep these bins instead: they are fewer numbers than the sums, which are made of them when they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtri

from core.block import Categories, Floats, Ints
from core.contract import Column, Multivariate
from detectors.summary.bins import placed
from detectors.summary.panes import PaneRows

COLUMN = ""  # the column under which panes hold these sums
PAIRS = 128  # of a cosine and a sine
UNIT = 1 << 14  # sums count cosines and sines in units of 1 / UNIT
SCORE = 128  # and normal scores in units of 1 / SCORE
FARTHEST = 4.0  # the largest normal score

_TURN = 1 << 16  # phases are in units of 1 / _TURN of a turn
_CHUNK = 1_024  # rows at a time, whose sums fit into 32 bits
_PLACED = 16 * _CHUNK  # rows at a time whose bins are found
_SAMPLE = 1_000  # rows of which distances are taken
_ROWS = 5_000  # rows of which the covariance is taken
_MANY = 100  # slots of a block above which it matters how much each of their panes costs
_FEWER = 4  # times as many sums as bins a slot has, for bins to be kept

Phases = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.uint16]


class _Tables(NamedTuple):
    phases: tuple[Phases, ...]  # of each column (bins, PAIRS)
    scores: tuple[npt.NDArray[np.int32], ...]  # of each numeric column (bins,)


class _Room(NamedTuple):
    """Memory for what some rows add to the sums, used again for the next ones: to ask for new memory takes longer than to compute. `terms` is (rows, width), `beside` those of scores (width of these, rows)."""

    phase: Phases
    part: Phases
    angle: Ints
    waves: npt.NDArray[np.int32]
    terms: npt.NDArray[np.int32]
    beside: npt.NDArray[np.int32]

    @staticmethod
    def of(rows: int, columns: int) -> _Room:
        """Memory for so many rows and sums; its content means nothing."""
        phase, part = (np.empty((rows, PAIRS), np.uint16) for _ in range(2))
        angle, waves, terms = np.empty((rows, PAIRS), np.int64), np.empty((rows, PAIRS), np.int32), np.empty((rows, columns), np.int32)
        # Of lines that are a power of two apart a cache keeps only a few, so those of scores are a little longer.
        return _Room(phase, part, angle, waves, terms, np.empty((columns - 2 * PAIRS, rows + 16), np.int32))

    def first(self, rows: int) -> _Room:
        """That of the first rows."""
        phase, part, angle, waves, terms, beside = self
        return _Room(phase[:rows], part[:rows], angle[:rows], waves[:rows], terms[:rows], beside[:, :rows])


def width(known: Multivariate) -> int:
    """How many sums a pane has: a cosine and a sine of each pair, one after the other, normal scores of the q numeric columns, and products of each two of them, a column with itself among them."""
    numeric = sum(map(bool, known.scores))
    return 2 * PAIRS + numeric + numeric * (numeric + 1) // 2


def sums(panes: PaneRows, known: Multivariate, columns: tuple[Column, ...], values: Sequence[Categories | Floats]) -> Ints:
    """The sums of the rows of each pane (P, width). `columns` are those of `known`, `values` theirs, each of n rows."""
    tables, found = _tables(known, columns), np.zeros((len(panes), width(known)), np.int64)
    places = [placed(column, held) for column, held in zip(columns, values, strict=True)]
    room = _Room.of(min(_CHUNK, panes.rows.shape[1]), width(known))
    for first in range(0, panes.rows.shape[1], _PLACED):
        held = [bins_of(slice(first, first + _PLACED)) for bins_of in places]
        for start in range(0, len(held[0]), _CHUNK):
            terms = _terms(tables, columns, [one[start : start + _CHUNK] for one in held], room)
            _add(found, panes.rows[:, first + start : first + start + len(terms)], terms)
    return found


def by_row(panes: PaneRows, known: Multivariate) -> bool:
    """Whether panes keep the bins of their rows instead of the sums: where the block has many slots, and few rows in each.

    Panes do not tell: a batch of a live stream may be in many segments with a row or two each, but each further batch adds rows to the same panes.
    """
    slots = len(np.unique(panes.slot))
    return slots > _MANY and _FEWER * panes.rows.shape[1] * len(known.columns) < slots * width(known)


def codes(panes: PaneRows, columns: tuple[Column, ...], values: Sequence[Categories | Floats]) -> Codes:
    """The bins of the rows of each pane, pane after pane (rows of all panes, columns). `values` are those of the columns, each of n rows."""
    every = slice(None)
    return np.stack([placed(column, held)(every) for column, held in zip(columns, values, strict=True)], axis=1).astype(np.uint16)[
        panes.order
    ]


def add(found: Floats, cell: Ints, codes: Codes, known: Multivariate, columns: tuple[Column, ...]) -> None:
    """Adds the sums of m rows, of which `codes` (m, columns) are the bins, to those of their cells: `found` is (cells, width), `cell` (m,)."""
    tables, room = _tables(known, columns), _Room.of(min(_CHUNK, len(codes)), width(known))
    for start in range(0, len(codes), _CHUNK):
        here, code = np.unique(cell[start : start + _CHUNK], return_inverse=True)
        found[here] += _added(code, _terms(tables, columns, list(codes[start : start + _CHUNK].T), room))


def _add(found: Ints, rows: Ints, terms: npt.NDArray[np.int32]) -> None:
    """Adds the terms of rows (n, width) to those of their panes; rows: (groupings, n)."""
    if len(found) == 1:
        found += _added(np.zeros(len(terms), np.int64), terms)
        return
    cell = np.zeros(len(terms), np.int64)
    for one in rows:
        cell = np.unique(cell * len(found) + one, return_inverse=True)[1]
    first_of = np.unique(cell, return_index=True)[1]
    if 2 * len(first_of) < len(terms):  # rows that are in the same panes are added up once for all groupings
        terms, rows = _added(cell, terms), rows[:, first_of]
    here, code = np.unique(rows.ravel(), return_inverse=True)
    found[here] += _added(code, terms)


def _added(code: Ints, terms: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The sums of the terms (n, width) with each code from 0 on; `code` (k * n,) may give each row k codes, first one for every row."""
    order = np.argsort(code, kind="stable")
    ends = np.searchsorted(code[order], np.arange(code.max() + 2))
    member = csr_array((np.ones(len(order), np.int32), order % len(terms), ends), shape=(len(ends) - 1, len(terms)))
    return np.asarray(member @ terms, np.int32)


def profile(columns: tuple[Column, ...], places: dict[str, Ints]) -> Multivariate:
    """What the reference tells: normal scores of bins, the median distance of rows, and the degrees of freedom of the features' covariance. `places` are the bins of its rows, each (n,)."""
    plain = Multivariate(
        columns=tuple(column.name for column in columns), scores=tuple(_scores(column, places[column.name]) for column in columns)
    )
    known = Multivariate(columns=plain.columns, scores=plain.scores, bandwidth=_bandwidth(plain, columns, places))
    held = [places[column.name] for column in columns]
    step = -(-len(held[0]) // _ROWS)
    some = [one[::step] for one in held]
    terms = _terms(_tables(known, columns), columns, some, _Room.of(len(some[0]), width(known)))[:, : 2 * PAIRS] / (UNIT * np.sqrt(PAIRS))
    centred = terms - terms.mean(0)
    covariance = centred.T @ centred / max(len(terms) - 1, 1)
    trace, squared = float(np.trace(covariance)), float((covariance**2).sum())
    squared -= trace**2 / len(terms)  # what a sample of so many rows adds
    degrees = min(max(trace**2 / squared, 1.0), 2.0 * PAIRS) if squared > 0 else 2.0 * PAIRS
    return Multivariate(columns=known.columns, scores=known.scores, bandwidth=known.bandwidth, degrees=degrees)


def _scores(column: Column, place: Ints) -> tuple[float, ...]:
    """The normal score of the middle of each value bin, in units of 1 / SCORE; none for categories."""
    if not column.numeric:
        return ()
    counts = np.bincount(place, minlength=column.bins)[: column.values]
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    return tuple((np.rint(np.clip(ndtri(middle), -FARTHEST, FARTHEST) * SCORE) / SCORE + 0.0).tolist())


def _bandwidth(known: Multivariate, columns: tuple[Column, ...], places: dict[str, Ints]) -> float:
    """The median distance of two rows of an evenly spaced sample; 1 where that is 0."""
    step = -(-len(next(iter(places.values()))) // _SAMPLE)
    squared: Floats = np.zeros((1, 1))
    for column, scores in zip(columns, known.scores, strict=True):
        place = places[column.name][::step]
        kind = np.where(place < column.null, -1, place) if column.numeric else place
        z = np.array([*scores, 0.0, 0.0])[place] if column.numeric else np.zeros(len(place))
        differs = kind[:, None] != kind
        # Of two indicators over root 2 the squared distance is 1; that of an indicator and none is 1/2.
        squared = squared + (z[:, None] - z) ** 2 + np.where(differs, np.where((kind[:, None] < 0) | (kind < 0), 0.5, 1.0), 0.0)
    apart = np.sqrt(squared[np.triu_indices(len(squared), 1)])
    return float(np.median(apart)) or 1.0 if len(apart) else 1.0


@lru_cache(100)
def _tables(known: Multivariate, columns: tuple[Column, ...]) -> _Tables:
    """The phase of each bin for each pair, modulo a turn, and the normal scores of bins in units of 1 / SCORE.

    Frequencies are normal: from the raw numbers of PCG64, which numpy promises to keep, by the inverse of the normal law.
    """
    raw, phases, scores = np.random.PCG64(known.seed), [], []
    for column, score in zip(columns, known.scores, strict=True):
        many = 3 if column.numeric else column.bins
        drawn = ndtri(((raw.random_raw(many * PAIRS) >> np.uint64(11)).astype(np.float64) + 0.5) / (1 << 53)).reshape(many, PAIRS)
        if column.numeric:
            drawn = np.concatenate([np.array(score)[:, None] * drawn[:1], drawn[1:] / np.sqrt(2)])
            scores.append(np.rint(np.array([*score, 0.0, 0.0]) * SCORE).astype(np.int32))
        else:
            drawn = drawn / np.sqrt(2)
        phases.append(np.rint(drawn * (_TURN / (2 * np.pi * known.bandwidth))).astype(np.int64).astype(np.uint16))
    return _Tables(tuple(phases), tuple(scores))


_ANGLES = np.arange(_TURN) * (2 * np.pi / _TURN)
_WAVES = np.rint(np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1).astype(np.float32) * np.float32(UNIT)).astype(np.int16)
_PACKED = _WAVES.view(np.int32)[:, 0]  # cosine and sine of a phase as one number, which one look-up finds


def _terms(tables: _Tables, columns: tuple[Column, ...], places: Sequence[Ints | Codes], room: _Room) -> npt.NDArray[np.int32]:
    """What each row adds to the sums (n, width), in the memory of `room`."""
    phase, part, angle, waves, terms, beside = room.first(len(places[0]))
    phase[:] = 0
    for table, place in zip(tables.phases, places, strict=True):
        table.take(place, axis=0, out=part, mode="clip")
        np.add(phase, part, out=phase)  # modulo a turn
    np.copyto(angle, phase)
    _PACKED.take(angle, out=waves, mode="clip")
    terms[:, : 2 * PAIRS] = waves.view(np.int16)
    # Scores and their products are made a column at a time, each in memory of its own: in that of the rows this takes eight times as long.
    numeric = [place for column, place in zip(columns, places, strict=True) if column.numeric]
    until = many = len(numeric)
    for at, (score, place) in enumerate(zip(tables.scores, numeric, strict=True)):
        score.take(place, out=beside[at], mode="clip")
    for at in range(many):
        np.multiply(beside[at], beside[at:many], out=beside[until : until + many - at])
        until += many - at
    terms[:, 2 * PAIRS :] = beside.T
    return terms
