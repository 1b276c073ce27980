"""The panes of a block: the (slot, version, role, segment) into which its rows fall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.block import Categories, Floats, Ints
from core.contract import Contract
from core.pane import slot_of
from core.segment import ALL, Segments, grouping_of
from detectors.summary.tally import Tally, tally

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PaneRows:
    """The P panes that n rows fall into; every row falls into one pane of each of G groupings.

    `slot` is (P,); `version`, `role` and `segment` hold P texts; `rows` (G, n) is the pane of each row; `n` (P,) its number of rows.
    """

    slot: Ints
    version: Categories
    role: Categories
    segment: Categories
    rows: Ints
    n: Ints

    @cached_property
    def order(self) -> Ints:
        """The rows in order of their panes, each once for every grouping."""
        rows = self.rows.ravel()
        order = np.argsort(rows.astype(np.uint16) if len(self) <= 1 << 16 else rows, kind="stable")  # short numbers sort by radix
        return np.asarray(order % self.rows.shape[1], np.intp)

    @cached_property
    def _starts(self) -> Ints:
        """Where the rows of each pane begin in that order."""
        return np.asarray(np.cumsum(self.n) - self.n, np.intp)

    @cached_property
    def _ordered(self) -> Ints:
        """The panes of the rows in that order."""
        return np.repeat(np.arange(len(self)), self.n)

    @staticmethod
    def of(
        contract: Contract, segments: Segments, ts: Ints, version: Categories, role: Categories, dimensions: Mapping[str, Categories]
    ) -> PaneRows:
        """The panes of rows with these times, versions and roles; `dimensions` holds each dimension's texts by name.

        Panes come by grouping, segment and slot, as the store keeps them, so that it need not sort them.
        """
        slots, slot = _slots(ts, contract.pane)
        heads, head = _distinct(_paired(_paired(slot, version), role))
        if segments.dimensions:
            numbers = np.stack(segments.assign(len(ts), dimensions)) if len(ts) else np.zeros((len(segments.groupings), 0), np.int64)
            names, place = _ranked(segments, numbers)
            panes, rows = _distinct((place * len(heads) + head).ravel())
            code, of_head = np.divmod(panes, max(len(heads), 1))
        else:
            names, rows = [ALL], head
            code, of_head = np.zeros(len(heads), np.int64), np.arange(len(heads))
        rest, of_role = np.divmod(heads[of_head], max(len(role.texts), 1))
        of_slot, of_version = np.divmod(rest, max(len(version.texts), 1))
        return PaneRows(
            slot=slots[of_slot] * contract.pane,
            version=Categories(of_version.astype(np.int32), version.texts),
            role=Categories(of_role.astype(np.int32), role.texts),
            segment=Categories(code.astype(np.int32), names),
            rows=rows.reshape(len(segments.groupings), len(ts)),
            n=np.bincount(rows, minlength=len(of_head)),
        )

    def __len__(self) -> int:
        return len(self.slot)

    def tally(self, bins: Ints, width: int, *weights: Floats, where: Flags | None = None) -> Tally:
        """Counts of rows by pane and bin, and sums of `weights`; all (n,). `where` (n,) leaves rows out."""
        rows = self.rows
        if where is not None:
            rows, bins, weights = rows[:, where], bins[where], tuple(weight[where] for weight in weights)
        if len(self) == 1:
            return tally(bins, 1, width, *weights)
        if where is None:  # in order of panes, which is nearly that of codes
            return tally(self._ordered * width + bins[self.order], len(self), width, *(weight[self.order] for weight in weights))
        spread = tuple(np.broadcast_to(weight, rows.shape).ravel() for weight in weights)
        return tally((rows * width + bins).ravel(), len(self), width, *spread)

    def count(self, where: Flags) -> Ints:
        """How many of the rows in `where` (n,) are in each pane."""
        return np.bincount(np.take(self.rows, np.flatnonzero(where), axis=1).ravel(), minlength=len(self))

    def sum(self, weight: Floats) -> Floats:
        """The sum of `weight` (n,) in each pane."""
        return np.asarray(np.bincount(self.rows.ravel(), np.broadcast_to(weight, self.rows.shape).ravel(), len(self)), np.float64)

    def spread(self, values: Floats) -> Floats:
        """`values` (n,) in order of panes, as `reduce` takes them: (n * G,)."""
        return values if len(self) == 1 else values[self.order]

    def reduce(self, how: np.ufunc, spread: Floats) -> Floats:
        """The values of each pane, reduced by a ufunc (P,); every pane has rows."""
        return np.asarray(how.reduceat(spread, self._starts), np.float64)

    def keys(self, times: int = 1) -> dict[str, pa.Array]:
        """The columns slot, version, role and segment, repeated `times` times."""
        texts = {"version": self.version, "role": self.role, "segment": self.segment}
        return {"slot": pa.array(np.tile(self.slot, times))} | {
            name: pa.DictionaryArray.from_arrays(pa.array(np.tile(values.codes, times)), pa.array(values.texts, pa.string()))
            for name, values in texts.items()
        }


def _ranked(segments: Segments, numbers: Ints) -> tuple[list[str], Ints]:
    """The names of the segments with these numbers, by grouping and name, and the place of each number's among them."""
    present, place = _distinct(numbers.ravel())
    names = [segments.name(int(one)) for one in present]
    order = sorted(range(len(names)), key=lambda at: ("*".join(grouping_of(names[at])), names[at]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return [names[at] for at in order], np.take(rank, place).reshape(numbers.shape)


def _slots(ts: Ints, pane: int) -> tuple[Ints, Ints]:
    """The distinct numbers of the slots of these times, ascending, and the place of each row's among them."""
    if not len(ts):
        return ts, ts
    first = ts.min() // pane
    if first == ts.max() // pane:
        return np.array([first]), np.zeros(len(ts), np.intp)
    return _distinct(slot_of(ts, pane) // pane)


def _paired(codes: Ints, texts: Categories) -> Ints:
    """A code for each pair of a code and a text; a text that is the only one changes nothing."""
    return codes if len(texts.texts) == 1 else codes * len(texts.texts) + texts.codes


def _distinct(codes: Ints) -> tuple[Ints, Ints]:
    """The distinct codes, ascending, and the place of each code among them."""
    if not len(codes):
        return codes, codes
    low, high = codes.min(), codes.max()
    if low == high:
        return codes[:1], np.zeros(len(codes), np.intp)
    if high - low > 4 * len(codes) + 4_096:
        distinct, places = np.unique(codes, return_inverse=True)
        return distinct, places
    present = np.bincount(codes - low) > 0
    return np.flatnonzero(present) + low, (np.cumsum(present) - 1)[codes - low]
