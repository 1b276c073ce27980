"""Makes panes again from raw events, from which all panes are derived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from core.block import Ints
from core.contract import Contract
from core.segment import ALL, Segments
from detectors.summary import multivariate, vector_column
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.evidence.history import History
from monitors.lease import Lease
from monitors.ports import Contracts, FactWriter, Panes, Raw

_ROWS = 200_000  # events that are rebuilt at a time
_VALUES = 20_000_000  # and about so many values of their columns: 160 MB as numbers
_PANES = 500_000  # and about so many panes at most, of which each event may have one a column and grouping of its own
_NUMBERS = 4_000_000  # of vectors, and of sums over all features together, if each event is in panes of its own


class Rebuild:
    """Makes the panes of whole slots from raw events."""

    def __init__(self, raw: Raw, panes: Panes, store: FactWriter, contracts: Contracts) -> None:
        self._raw, self._panes, self._store = raw, panes, store
        self.history = History(raw, contracts)

    def reconcile(self, contract: Contract, slots: Ints, anyway: Ints, committed: Mapping[int, int], lease: Lease) -> tuple[int, list[int]]:
        """Compare the input panes of these slots with raw events, and make those again that differ. Returns how many slots were audited, and which were repaired.

        `committed` is the last committed position of each partition. A slot with raw events beyond it is just being written; it is touched again when
        these are committed. Panes are read before raw events, so that every event in a pane is among the raw events that are read. Slots in `anyway` are made
        again also if their counts agree, for example because one of their events no longer counts and another one came.
        """
        slots, forced = np.union1d(slots, anyway), set(anyway.tolist())
        if not len(slots):
            return 0, []
        held = dict(zip(*(values.tolist() for values in self._panes.slots(contract)), strict=True))
        found = self._raw.distinct(contract.model, slots, contract.pane)
        settled = {slot for slot, (_, last) in found.items() if all(at <= committed.get(part, -1) for part, at in last.items())}
        differing = {slot: n for slot, (n, _) in found.items() if slot in forced or (slot in settled and n != held.get(slot, 0))}
        for chunk in _portions(contract, differing):
            self._inputs(contract, chunk, lease)
        if empty := sorted(forced - found.keys()):  # these slots have panes and no raw events
            lease.check()
            self._store.rebuilt(contract, empty, lease.generation)
        return len(settled | forced), sorted([*differing, *empty])

    def performance(self, contract: Contract, slots: Ints, lease: Lease) -> None:
        """Recompute the performance panes of these slots from outcomes."""
        rows = (
            {int(slot): found[0] for slot, found in self._raw.distinct(contract.model, slots, contract.pane).items()} if len(slots) else {}
        )
        segments = Segments(contract)
        for chunk in _chunks(rows, _ROWS):
            summary = PerformanceSummary.zero()
            for outcomes in self.history.outcomes(contract, chunk):
                summary = summary.merge(PerformanceSummary.of(contract, segments, outcomes))
            lease.check()
            self._store.performance_panes(contract, _with_empty(summary.to_columns(), chunk), lease.generation)

    def _inputs(self, contract: Contract, slots: Ints, lease: Lease) -> None:
        segments = Segments(contract)
        parts = (InputSummary.of(contract, segments, block) for block in self.history.predictions(contract, slots))
        summary = next(parts, InputSummary.zero())  # one alone is not merged, which takes several times its memory
        for part in parts:
            summary = summary.merge(part)
        lease.check()
        self._store.panes([(contract, summary.to_columns())], None, lease.generation)
        lease.check()
        self._store.rebuilt(contract, slots.tolist(), lease.generation)


def _portions(contract: Contract, rows: Mapping[int, int]) -> Iterator[Ints]:
    """Slots in order, by how many events each has, in portions that are rebuilt at a time."""
    most = _together(contract)
    yield from _chunks(_weights(contract, rows, most), most)


def _together(contract: Contract) -> int:
    """How many events are rebuilt at a time: fewer where they have many columns or carry vectors, or panes many sums."""
    groupings = 1 + len(contract.dimensions) + len(contract.crosses)
    vectors = [column.embedding for column in contract.columns if column.embedding is not None]
    sums = sum(vector_column.Sums.of(one).width for one in vectors) + (
        multivariate.width(contract.multivariate) if contract.multivariate else 0
    )
    return max(
        1, min(_ROWS, _VALUES // max(1, len(contract.kept)), _NUMBERS // max(1, groupings * sums + sum(one.size for one in vectors)))
    )


def _weights(contract: Contract, rows: Mapping[int, int], most: int) -> dict[int, int]:
    """How many of the `most` events at a time each slot counts for: more than it has, where few events are in many panes."""
    segments, columns = Segments(contract), len(contract.summarised)
    return {slot: max(n, min(n * len(segments.groupings), segments.size) * columns * most // _PANES) for slot, n in rows.items()}


def _chunks(rows: Mapping[int, int], most: int) -> Iterator[Ints]:
    """Slots in order, in chunks of about so many events."""
    slots = np.array(sorted(rows), np.int64)
    if not len(slots):
        return
    group = np.cumsum([rows[int(slot)] for slot in slots]) // most
    yield from np.split(slots, np.flatnonzero(np.diff(group)) + 1)


def _with_empty(table: pa.Table, slots: Ints) -> pa.Table:
    """The table, and an empty row for each slot that has no outcome any more."""
    empty = np.setdiff1d(slots, table["slot"].cast(pa.int64()).to_numpy()) if table.num_rows else slots
    if not len(empty):
        return table
    names = {"slot": empty.tolist(), "segment": [ALL] * len(empty)}
    rows = [pa.array(names[field.name], field.type) if field.name in names else _blank(field.type, len(empty)) for field in table.schema]
    return pa.concat_tables([table, pa.table(rows, names=table.schema.names)], promote_options="permissive")


def _blank(kind: pa.DataType, rows: int) -> pa.Array:
    value: object = [] if pa.types.is_list(kind) else 0 if pa.types.is_integer(kind) or pa.types.is_floating(kind) else ""
    return pa.array([value] * rows, kind)
