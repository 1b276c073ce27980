"""Merges tables of panes: rows with the same key become one row, and their lists are merged cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Ints
from detectors.summary.tally import tally


@dataclass(frozen=True)
class PaneLayout:
    """The columns of a table of panes: its key, its sums, its minima and maxima, and groups of lists: (the names of a cell's key, the names of its sums).

    `highest` are groups whose cells are merged by their maximum; their keys and values are whole numbers. `joined` are lists that are put one behind another.
    """

    keys: tuple[str, ...]
    sums: tuple[str, ...]
    lists: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    schema: pa.Schema
    minima: tuple[str, ...] = ()
    maxima: tuple[str, ...] = ()
    highest: tuple[tuple[str, str], ...] = ()
    joined: tuple[str, ...] = ()

    def empty(self) -> pa.Table:
        """No panes."""
        return self.schema.empty_table()


def merge(layout: PaneLayout, tables: Sequence[pa.Table]) -> pa.Table:
    """One row a key, in order of the keys; cells in order of their own."""
    table = pa.concat_tables([_plain(layout, table) for table in tables]).sort_by([(key, "ascending") for key in layout.keys])
    table = table.combine_chunks()
    if not table.num_rows:
        return layout.empty()
    codes = np.stack([_codes(table[key])[0] for key in layout.keys])
    first = np.concatenate([[True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)])
    row, rows = np.cumsum(first) - 1, int(first.sum())
    columns: dict[str, pa.Array] = {key: table[key].filter(pa.array(first)) for key in layout.keys}
    for names, how in ((layout.sums, np.add), (layout.minima, np.minimum), (layout.maxima, np.maximum)):
        for name in names:
            columns[name] = pa.array(how.reduceat(table[name].to_numpy(), np.flatnonzero(first)))
    for keys, sums in layout.lists:
        columns |= _lists(table, row, rows, keys, sums)
    for key, value in layout.highest:
        columns |= _highest(table, row, rows, key, value)
    for name in layout.joined:
        lists = table[name].combine_chunks()
        lengths = np.add.reduceat(lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64), np.flatnonzero(first))
        columns[name] = pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(lengths)), pa.int32()), lists.flatten())
    return pa.table(columns).select(layout.schema.names).cast(layout.schema)


def _lists(table: pa.Table, row: Ints, rows: int, keys: tuple[str, ...], sums: tuple[str, ...]) -> dict[str, pa.Array]:
    """The lists of a group, added up."""
    flat = {name: table[name].combine_chunks() for name in (*keys, *sums)}
    lengths = flat[keys[0]].value_lengths().to_numpy(zero_copy_only=False)
    flat = {name: values.flatten() for name, values in flat.items()}
    code, distinct = np.zeros(int(lengths.sum()), np.int64), []
    for key in keys:
        codes, values = _codes(flat[key])
        code = code * len(values) + codes
        distinct.append(values)
    width = int(np.prod([len(values) for values in distinct]))
    added = tally(np.repeat(row, lengths) * width + code, rows, width, *(flat[name].to_numpy().astype(np.float64) for name in sums))
    columns, rest = {}, added.bin
    for key, values in zip(reversed(keys), reversed(distinct), strict=True):
        rest, index = np.divmod(rest, max(len(values), 1))
        columns[key] = added.lists(values.take(pa.array(index)), values.type)
    for name, total in zip(sums, added.sums, strict=True):
        kind = table.schema.field(name).type.value_type
        columns[name] = added.lists(pa.array(total).cast(kind), kind)
    return columns


def _highest(table: pa.Table, row: Ints, rows: int, key: str, value: str) -> dict[str, pa.Array]:
    """The lists of a group, of each cell its highest value."""
    flat = {name: table[name].combine_chunks() for name in (key, value)}
    lengths = flat[key].value_lengths().to_numpy(zero_copy_only=False)
    keys, values = (flat[name].flatten().to_numpy().astype(np.int64) for name in (key, value))
    pane = np.repeat(row, lengths)
    order = np.lexsort((values, keys, pane))
    pane, keys, values = pane[order], keys[order], values[order]
    last = np.concatenate([(pane[1:] != pane[:-1]) | (keys[1:] != keys[:-1]), np.ones(min(len(pane), 1), np.bool_)])
    offsets = pa.array(np.searchsorted(pane[last], np.arange(rows + 1)), pa.int32())
    kinds = {name: table.schema.field(name).type.value_type for name in (key, value)}
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(held[last]).cast(kinds[name])) for name, held in ((key, keys), (value, values))
    }


def _codes(values: pa.Array | pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """The index of each value among the distinct values, and these in order."""
    distinct = values.unique()
    order = pc.array_sort_indices(distinct)
    ordered = distinct.take(order)
    return pc.index_in(values, ordered).to_numpy().astype(np.int64), ordered


def _plain(layout: PaneLayout, table: pa.Table) -> pa.Table:
    """The table with the layout's columns and types, dictionaries decoded."""
    return table.select(layout.schema.names).cast(layout.schema)
