"""Writes blocks into the fact tables. An insert may have a token; a second insert under the same token changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment
from core.block import Categories, Labels, Predictions
from core.contract import Contract
from core.generation import owner_of
from core.reading import TIMES
from core.segment import grouping_of
from storage.facts import column as col
from storage.facts.engine import Engine


class Writer:
    """The inserts of ingest and of the owner's loop. Events of models without a contract are kept for `wait` microseconds."""

    def __init__(self, engine: Engine, wait: int = 0) -> None:
        self._engine, self._wait = engine, wait

    def predictions(self, blocks: Sequence[tuple[Contract, Predictions]], partition: int, token: str | None) -> None:
        """Raw prediction events."""
        self._insert("predictions", [_predictions(contract, block, partition) for contract, block in blocks], token)

    def labels(self, blocks: Mapping[str, Labels], partition: int, token: str | None) -> None:
        """Raw label events."""
        self._insert("labels", [_labels(model, block, partition) for model, block in blocks.items()], token)

    def panes(self, summaries: Sequence[tuple[Contract, pa.Table]], token: str | None, generation: int = 0) -> None:
        """Input panes: tables of `detectors.summary.inputs`."""
        self._insert("panes", [_panes(contract, table, generation) for contract, table in summaries], token)

    def performance_panes(self, contract: Contract, table: pa.Table, generation: int) -> None:
        """Performance panes: whole slots, which replace those of lower generations."""
        head = _pane_head(contract, table, generation)
        rest = {name: table[name] for name in table.column_names if name not in head}
        self._insert("performance_panes", [pa.table({**head, **rest})], None)

    def rebuilt(self, contract: Contract, slots: Sequence[int], generation: int) -> None:
        """From now on the panes of these slots are those of `generation`."""
        rows = len(slots)
        self._insert(
            "rebuilds",
            [
                pa.table(
                    {
                        "model": col.constant(contract.model, rows),
                        "contract": col.constant(contract.version, rows),
                        "slot": col.times(np.asarray(slots, np.int64)),
                        "generation": col.constant(generation, rows),
                        "era": col.constant(owner_of(generation), rows),
                    }
                )
            ],
            None,
        )

    def batches(self, rows: Sequence[Mapping[str, str | int | list[int]]]) -> None:
        """The summary of a committed batch, a row a model, written last. Times are microseconds. The same rows again change nothing, so there is no token."""
        columns = {
            name: col.times(np.array([row[name] for row in rows], np.int64))
            if name in _BATCH_TIMES
            else pa.array([row[name] for row in rows])
            for name in _BATCH
        }
        columns |= {name: pa.array([row.get(name, []) for row in rows], pa.list_(kind)) for name, kind in _BATCH_LISTS.items()}
        columns["admitted"] = pa.array([row.get("admitted", 0) for row in rows])
        self._insert("batches", [pa.table(columns)] if rows else [], None)

    def dead_letters(self, rows: Sequence[Mapping[str, str | int]]) -> None:
        """Records that could not be used: topic, partition, position, row, model, field, reason, logged. The same rows again change nothing."""
        names = ("topic", "partition", "position", "row", "model", "field", "reason")
        columns = {"place" if name == "row" else name: pa.array([row[name] for row in rows]) for name in names}
        columns["logged"] = col.times(np.array([row["logged"] for row in rows], np.int64))
        self._insert("dead_letters", [pa.table(columns)] if rows else [], None)

    def waiting(self, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Events of models without a contract: model, topic, partition, position, row, the `last` position of their batch, body, logged. The same rows again change nothing."""
        names = ("model", "topic", "partition", "position", "row", "last", "body")
        columns = {"place" if name == "row" else name: pa.array([row[name] for row in rows]) for name in names}
        logged = np.array([row["logged"] for row in rows], np.int64)
        until = pa.array((logged + self._wait) // moment.SECOND, pa.timestamp("s", "UTC"))
        self._insert("waiting", [pa.table({**columns, "logged": col.times(logged), "until": until})] if rows else [], None)

    def readings(self, tables: Sequence[pa.Table]) -> None:
        """Readings, in one insert: the fields of `core.reading.Reading` as columns, times in microseconds, objects as JSON texts; `evaluated` and `generation`."""
        self._insert("readings", [_readings(table) for table in tables if table.num_rows], None)

    def _insert(self, name: str, tables: list[pa.Table], token: str | None) -> None:
        tables = [table for table in tables if table.num_rows]
        if tables:
            rows = tables[0] if len(tables) == 1 else pa.concat_tables([_plain(table) for table in tables], promote_options="permissive")
            self._engine.insert(name, col.narrowed(rows) if name == "panes" else rows, f"{token}:{name}" if token else None)


_MAPS = (
    ("count", "bin", "count"),
    ("sum", "bin", "sum"),
    ("sketch", "register", "rank"),
    ("joint", "term", "joint"),
)  # of panes: a map, and the lists of its keys and values
_BATCH_TIMES = ("first_ts", "last_ts", "watermark", "logged")
_BATCH_LISTS = {"copy_slot": pa.int64(), "copy_count": pa.uint64()}
_BATCH = ("model", "topic", "partition", "last", "first", "rows", "duplicates", "rejected", "outside", *_BATCH_TIMES)


def _readings(table: pa.Table) -> pa.Table:
    columns = {name: table[name] for name in table.column_names}
    for name in (*TIMES, "evaluated"):
        columns[name] = table[name].cast(pa.int64()).cast(col.TIME)
    columns["window_length"] = pc.subtract(table["window_end"], table["window_start"]).cast(pa.uint64())
    columns["grouping"] = _groupings(table["segment"])
    return pa.table(columns)


def _plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries: tables with different dictionaries cannot be sent together."""
    return table.cast(pa.schema([(field.name, _without_dictionary(field.type)) for field in table.schema]))


def _without_dictionary(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_without_dictionary(kind.value_type))
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _predictions(contract: Contract, block: Predictions, partition: int) -> pa.Table:
    rows = len(block)
    classes = isinstance(block.prediction, Categories)
    return pa.table(
        {
            "model": col.constant(contract.model, rows),
            "contract": col.constant(contract.version, rows),
            "prediction_id": pa.array(block.id, pa.string()),
            "ts": col.times(block.ts),
            "version": col.texts(block.version),
            "role": col.texts(block.role),
            "class": col.texts(block.prediction) if isinstance(block.prediction, Categories) else col.constant("", rows),
            "number": pa.array(np.full(rows, np.nan) if classes else block.prediction),
            "score": pa.array(block.score),
            "probabilities": col.number_rows(block.probabilities, rows),
            "numbers": col.number_rows(block.numbers, rows),
            "texts": col.text_rows(block.texts, rows),
            "vectors": col.vector_rows(block.vectors, rows),
            "extra": pa.array(block.extra, pa.string()),
            "partition": col.constant(partition, rows),
            "position": pa.array(block.position, pa.uint64()),
            "place": pa.array(block.row, pa.uint32()),
            "logged": col.times(block.logged),
        }
    )


def _labels(model: str, block: Labels, partition: int) -> pa.Table:
    rows = len(block)
    return pa.table(
        {
            "model": col.constant(model, rows),
            "prediction_id": pa.array(block.id, pa.string()),
            "ts": col.times(block.ts),
            "text": pa.array(block.text, pa.string()),
            "number": pa.array(block.number),
            "weight": pa.array(block.weight),
            "deleted": pa.array(block.deleted.astype(np.uint8)),
            "prediction_ts": col.times(block.prediction_ts),
            "partition": col.constant(partition, rows),
            "position": pa.array(block.position, pa.uint64()),
            "place": pa.array(block.row, pa.uint32()),
            "logged": col.times(block.logged),
        }
    )


def _pane_head(contract: Contract, table: pa.Table, generation: int) -> dict[str, pa.Array]:
    rows = table.num_rows
    return {
        "model": col.constant(contract.model, rows),
        "contract": col.constant(contract.version, rows),
        "grouping": _groupings(table["segment"]),
        "segment": table["segment"],
        "slot": table["slot"].cast(pa.int64()).cast(col.TIME),
        "pane": col.constant(contract.pane, rows),
        "version": table["version"],
        "role": table["role"],
        "generation": col.constant(generation, rows),
    }


def _panes(contract: Contract, table: pa.Table, generation: int) -> pa.Table:
    maps = {name: _maps(table[keys], table[values]) for name, keys, values in _MAPS}
    head, listed = _pane_head(contract, table, generation), {name for one in _MAPS for name in one}
    return pa.table({**head, **{name: table[name] for name in table.column_names if name not in head.keys() | listed}, **maps})


def _maps(keys: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    lists = keys.combine_chunks()
    lists = lists if isinstance(lists, pa.ListArray) else pa.concat_arrays(lists.chunks)
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False))]).astype(np.int32)
    flat = pc.list_flatten(values).combine_chunks()
    return pa.MapArray.from_arrays(pa.array(offsets), lists.flatten(), flat)


def _groupings(segments: pa.ChunkedArray) -> pa.Array:
    values = col.categories(segments)
    return (
        col.texts(Categories.of(["*".join(grouping_of(text)) for text in values.texts])).take(pa.array(values.codes))
        if len(values)
        else pa.array([], pa.string())
    )
