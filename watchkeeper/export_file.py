"""Writes tables as a file in parts: Parquet or CSV, never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

Format = Literal["parquet", "csv"]
_TIME = "%Y-%m-%dT%H:%M:%SZ"  # with six decimals, since times are in microseconds


class FileKind(NamedTuple):
    """A kind of file: its media type, and what makes the parts of a file from tables of one schema."""

    media_type: str
    write: Callable[[Iterator[pa.Table]], Iterator[bytes]]


def parquet(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """A Parquet file, a row group a table."""
    first = next(tables)
    sink = _Sink()
    with pq.ParquetWriter(sink, first.schema, compression="zstd") as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


def csv(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """A CSV file with a heading. Times are RFC 3339, and lists JSON; null is an empty cell, and an empty text is quoted."""
    first = _plain(next(tables))
    sink = _Sink()
    with pyarrow.csv.CSVWriter(sink, first.schema) as writer:
        for table in chain([first], map(_plain, tables)):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


FILES: dict[Format, FileKind] = {"parquet": FileKind("application/vnd.apache.parquet", parquet), "csv": FileKind("text/csv", csv)}


class _Sink(BytesIO):
    """A file whose content is taken away as it is written; it still tells how much was written in all."""

    _before = 0

    def tell(self) -> int:
        return self._before + super().tell()

    def close(self) -> None:
        """The writer closes its file before the last part is taken."""

    def taken(self) -> bytes:
        part = self.getvalue()
        self._before += len(part)
        self.seek(0)
        self.truncate()
        return part


def _plain(table: pa.Table) -> pa.Table:
    return pa.table({name: _cells(table[name]) for name in table.column_names})


def _cells(column: pa.ChunkedArray) -> Any:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format=_TIME)
    if pa.types.is_list(column.type):
        return pa.array([None if one is None else msgspec.json.encode(one).decode() for one in column.to_pylist()], pa.string())
    return column
