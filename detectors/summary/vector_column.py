"""Vector columns, such as embeddings: two statistics of each vector, and sums of all of them, which are whole numbers so that they are the same in any order.

The values of a vector column are its state `vector`, and `null` and `invalid`. Its statistics are signals, `@vector:<column>:norm` and `:nearest`.
A vector of more than 64 numbers is projected to 64 by random signs (Johnson and Lindenstrauss; Achlioptas 2003), which keeps distances within about 10 %.
Its coordinates are centred and divided by the reference's spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtri

from core import text
from core.block import Categories, Floats, Ints, Vectors
from core.contract import Column, Contract, Embedding, Kind
from detectors.summary.panes import PaneRows

LONGEST = 4096  # numbers of a vector
PREFIX = "@vector:"
STATES = ("vector",)
STATISTICS = ("norm", "nearest")
PAIRS = 128  # of a cosine and a sine
UNIT = 1 << 14  # sums count cosines and sines in units of 1 / UNIT
FINE, SQUARES = 1 << 10, 1 << 8  # coordinates and statistics in units of 1 / FINE, squared lengths in units of 1 / SQUARES

_DIMENSIONS = 64
_FARTHEST = 1 << 10  # a coordinate beyond it counts as it
_FARTHEST_STATISTIC = 1 << 6  # so does a statistic, in standard deviations: sums of 2^31 squares fit into 64 bits
_SAMPLE = 200  # vectors of the reference to which the nearest is sought
_PAIRS_OF, _ROWS = 1_000, 5_000  # vectors of which distances, and covariances, are taken
_DIGITS = 5  # of statistics: vectors that were divided by their length have the length 1
_BLOCK = 1_024  # rows whose statistics and sums are made at a time
_TOGETHER, _ALONE = 16, 1 << 18  # rows that are multiplied together, and the multiplications that OpenBLAS does in the calling thread
_FLOOR = 1e-3  # of the mean of a statistic: the least that counts as its standard deviation


class Sums(NamedTuple):
    """The places of the sums of a pane."""

    fourier: slice
    coordinates: slice
    square: int  # of the lengths of the coordinates
    norm: int
    norm_square: int
    nearest: int
    nearest_square: int
    vectors: int  # how many

    @staticmethod
    def of(known: Embedding) -> Sums:
        """Those of a column."""
        low = 2 * PAIRS
        high = low + len(known.center)
        return Sums(slice(low), slice(low, high), *range(high, high + 6))

    @property
    def width(self) -> int:
        """How many sums there are."""
        return self.vectors + 1


def vector_columns(contract: Contract) -> tuple[Column, ...]:
    """The vector columns among the features of a contract."""
    return tuple(column for column in contract.features if column.kind == Kind.VECTOR)


def names(column: str) -> tuple[str, ...]:
    """The names of a vector column's statistics, in the order of `STATISTICS`."""
    return tuple(f"{PREFIX}{column}:{statistic}" for statistic in STATISTICS)


def states(vectors: Vectors, null: npt.NDArray[np.bool_]) -> Categories:
    """The states of vectors (n, size): null where `null` (n,), else invalid where a number is not finite."""
    codes = np.where(null, 1, np.where(np.isfinite(vectors).all(1), 0, 2)).astype(np.int32)
    return Categories(codes, (*STATES, text.NULL, text.INVALID))


def statistics(column: Column, vectors: Vectors, held: Categories) -> Mapping[str, Floats]:
    """The statistics of vectors (n, size) by name, (n,): the length, and the distance to the nearest vector of the reference's sample that is another one.

    They are null and invalid where the vector is (`held` are the states).
    """
    known, found = embedding(column), np.full((len(STATISTICS), len(vectors)), np.nan)
    codes = np.array([{text.NULL: 1, text.INVALID: 2}.get(one, 0) for one in held.texts], np.int64)[held.codes]
    good = np.flatnonzero(codes == 0)
    for rows in _blocks(good):
        whole = vectors[rows].astype(np.float64)
        found[0, rows] = _significant(np.sqrt((whole * whole).sum(1)))
        found[1, rows] = _significant(_nearest(known, _coordinates(known, whole)))
    found[:, codes == 2] = np.inf
    return dict(zip(names(column.name), found, strict=True))


def sums(panes: PaneRows, column: Column, vectors: Vectors, held: Mapping[str, Categories | Floats]) -> Ints:
    """The sums of the vectors of each pane, (panes, `Sums.width`): vectors (n, size), and the values of signals by name, the statistics among them, each (n,)."""
    known = embedding(column)
    norm, nearest = (np.asarray(held[name], np.float64) for name in names(column.name))
    good = np.flatnonzero(np.isfinite(norm))
    found = np.zeros((len(panes), Sums.of(known).width), np.int64)
    for rows in _blocks(good):
        terms = _terms(known, vectors[rows].astype(np.float64), norm[rows], nearest[rows])
        here, code = np.unique(panes.rows[:, rows].ravel(), return_inverse=True)
        order = np.argsort(code, kind="stable")
        ends = np.searchsorted(code[order], np.arange(len(here) + 1))
        member = csr_array((np.ones(len(order), np.int64), order % len(rows), ends), shape=(len(here), len(rows)))
        found[here] += member @ terms
    return found


def embedding(column: Column) -> Embedding:
    """What the contract knows of a vector column."""
    if column.embedding is None:
        raise ValueError(f"column {column.name!r} is no vector column")
    return column.embedding


def column(name: str, size: int) -> Column:
    """A vector column of this size, of which nothing is known yet."""
    return Column(name=name, kind=Kind.VECTOR, categories=STATES, embedding=Embedding(size=size, center=(0.0,) * min(size, _DIMENSIONS)))


def profiled(name: str, vectors: Vectors) -> Column:
    """The vector column of a reference, whose vectors are (n, size), by at most 5,000 rows that are chosen at random, but the same ones again for the same number of rows."""
    plain_column = column(name, vectors.shape[1])
    known = embedding(plain_column)
    rows = np.flatnonzero(np.isfinite(vectors).all(1))
    rows = rows[np.argsort(np.random.PCG64(known.seed).random_raw(len(rows)), kind="stable")[:_ROWS]] if len(rows) else rows
    some = vectors[rows].astype(np.float64)
    if len(some) < 2:
        return plain_column
    plain = _projected(known, some)
    center, spread = plain.mean(0), float(np.sqrt(plain.var(0).mean()))
    known = msgspec.structs.replace(known, center=tuple((center + 0.0).tolist()), scale=spread or 1.0)
    near = _coordinates(known, some[:_PAIRS_OF])
    squared = _squared(near, near)[np.triu_indices(len(near), 1)]
    known = msgspec.structs.replace(
        known, bandwidth=float(np.sqrt(np.median(squared))) or 1.0, sample=_units(near[:_SAMPLE]).astype("<i4").tobytes()
    )
    z = _coordinates(known, some)
    waves = _waves(known, z) / (UNIT * np.sqrt(PAIRS))
    known = msgspec.structs.replace(known, degrees=_degrees(waves), degrees_of_mean=_degrees(z))
    found = statistics(_changed(plain_column, known), vectors[rows], Categories(np.zeros(len(some), np.int32), STATES))
    about = [(float(values.mean()), max(float(values.std()), _FLOOR * float(values.mean())) or 1.0) for values in found.values()]
    return _changed(plain_column, msgspec.structs.replace(known, norm=about[0], nearest=about[1]))


def _changed(held: Column, known: Embedding) -> Column:
    return msgspec.structs.replace(held, embedding=known)


def _degrees(rows: Floats) -> float:
    """The degrees of freedom of the squared distance of two samples' means, by the traces of the covariance and of its square (Satterthwaite 1946)."""
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / (len(rows) - 1)
    trace, squared = float(np.trace(covariance)), float((covariance**2).sum())
    squared -= trace**2 / len(rows)  # what a sample of so many rows adds
    most = float(rows.shape[1])
    return min(max(trace**2 / squared, 1.0), most) if squared > 0 else most


def _blocks(rows: Ints) -> list[Ints]:
    return [rows[low : low + _BLOCK] for low in range(0, len(rows), _BLOCK)]


def _product(left: Floats, right: Floats) -> Floats:
    """The product (n, m) of rows (n, k) with a matrix (k, m), in pieces of one shape: so a row's product is the same whatever rows come with it.

    The pieces are as large as OpenBLAS multiplies in the calling thread. Its own threads wait for one another, which takes long where processors are busy.
    """
    step = max(1, _ALONE // (_TOGETHER * right.shape[1]))
    padded = np.zeros((-(-len(left) // _TOGETHER) * _TOGETHER, left.shape[1]))
    padded[: len(left)] = left
    found = np.zeros((len(padded), right.shape[1]))
    for low in range(0, len(padded), _TOGETHER):
        for first in range(0, right.shape[0], step):
            found[low : low + _TOGETHER] += padded[low : low + _TOGETHER, first : first + step] @ right[first : first + step]
    return found[: len(left)]


def _projected(known: Embedding, vectors: Floats) -> Floats:
    if known.size <= _DIMENSIONS:
        return vectors
    return _product(vectors, _signs(known.size, known.seed))


def _coordinates(known: Embedding, vectors: Floats) -> Floats:
    """The coordinates of vectors, rounded to 1 / FINE."""
    apart = (_projected(known, vectors) - np.array(known.center)) / known.scale
    return np.asarray(np.rint(np.clip(apart, -_FARTHEST, _FARTHEST) * FINE) / FINE)


def _units(values: Floats) -> Ints:
    return np.rint(values * FINE).astype(np.int64)


def _terms(known: Embedding, vectors: Floats, norm: Floats, nearest: Floats) -> Ints:
    """What each vector adds to the sums."""
    at, z = Sums.of(known), _coordinates(known, vectors)
    found = np.empty((len(z), at.width), np.int64)
    found[:, at.fourier], found[:, at.coordinates] = _waves(known, z), _units(z)
    found[:, at.square] = np.rint((z * z).sum(1) * SQUARES)
    for place, values, (mean, deviation) in ((at.norm, norm, known.norm), (at.nearest, nearest, known.nearest)):
        units = _units(np.clip((np.nan_to_num(values, posinf=mean) - mean) / deviation, -_FARTHEST_STATISTIC, _FARTHEST_STATISTIC))
        found[:, place], found[:, place + 1] = units, units * units
    found[:, at.vectors] = 1
    return found


def _waves(known: Embedding, z: Floats) -> Ints:
    """Cosines, then sines, of the phases of coordinates: random Fourier features of a Gaussian kernel (Rahimi and Recht 2007), in units of 1 / UNIT."""
    phase = _product(z, _frequencies(len(known.center), known.seed) / known.bandwidth)
    turns = (2 * np.pi * (phase - np.rint(phase))).astype(np.float32)
    return np.rint(np.concatenate([np.cos(turns), np.sin(turns)], axis=1) * np.float32(UNIT)).astype(np.int64)


def _nearest(known: Embedding, z: Floats) -> Floats:
    """The distance to the nearest vector of the sample that is another one, in the unit of the vectors; NaN without any."""
    sample = np.frombuffer(known.sample, "<i4").reshape(-1, len(known.center)) / FINE
    if not len(sample):
        return np.full(len(z), np.nan)
    squared = _squared(z, sample)
    found = np.where(squared > 0, squared, np.inf).min(1)
    return np.where(np.isfinite(found), np.sqrt(found) * known.scale, 0.0)


def _squared(left: Floats, right: Floats) -> Floats:
    """Squared distances (n, m) of coordinates. These are multiples of 1 / FINE, so that the sums are exact, and 0 where both are the same."""
    own, other = (np.rint(side * FINE) for side in (left, right))
    whole = (own * own).sum(1)[:, None] + (other * other).sum(1) - 2 * _product(own, np.ascontiguousarray(other.T))
    return np.asarray(whole / FINE**2)


def _significant(values: Floats) -> Floats:
    """Values with 5 significant digits."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(values)))
        return np.where((values > 0) & np.isfinite(power), np.rint(values * power) / power, values)


@lru_cache(32)
def _signs(size: int, seed: int) -> Floats:
    """A projection (size, 64) of random signs. The raw numbers of PCG64 are those that numpy promises to keep."""
    raw = np.random.PCG64(seed).random_raw(size * _DIMENSIONS // 64)
    bits = np.unpackbits(raw.astype("<u8").view(np.uint8)).reshape(size, _DIMENSIONS)
    return np.asarray((bits * 2.0 - 1) / np.sqrt(_DIMENSIONS), np.float64)


@lru_cache(32)
def _frequencies(dimensions: int, seed: int) -> Floats:
    """Frequencies (dimensions, PAIRS) in turns for a bandwidth of 1: normal, by the inverse of the normal law."""
    raw = np.random.PCG64(seed + 1).random_raw(dimensions * PAIRS)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) / (1 << 53)
    return np.asarray(ndtri(uniform).reshape(dimensions, PAIRS) / (2 * np.pi))
