"""Opens and reads Parquet files from outside, or raises our own errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from core.error import ConfigError
from monitors.reference.layout import distinct


class Parquet:
    """A Parquet file, `name` in messages. Raises ConfigError if it cannot be read, or has two columns of one name."""

    def __init__(self, source: Path | BinaryIO, name: str) -> None:
        self._name = name
        try:  # Spark writes times as INT96, which would overflow as nanoseconds
            self._file = pq.ParquetFile(source, coerce_int96_timestamp_unit="us")
            self.schema: pa.Schema = self._file.schema_arrow
            distinct(self.schema.names)
        except _FAULTS as error:
            raise self._unreadable(error) from None

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The columns, all by default."""
        try:
            table = self._file.read(self._asked(columns))
        except _FAULTS as error:
            raise self._unreadable(error) from None
        return table if columns is None else table.select(list(columns))

    def batches(self, size: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The columns, at most `size` rows at a time."""
        try:
            for batch in self._file.iter_batches(size, columns=self._asked(columns)):
                yield pa.Table.from_batches([batch]).select(list(columns))
        except _FAULTS as error:
            raise self._unreadable(error) from None

    def _asked(self, columns: Sequence[str] | None) -> list[str] | None:
        """The columns to ask pyarrow for: all if a name holds a dot, which pyarrow takes for a path into a struct."""
        return None if columns is None or any("." in name for name in self.schema.names) else list(columns)

    def _unreadable(self, error: Exception) -> ConfigError:
        return ConfigError(f"{self._name} cannot be read as Parquet: {error}", remedy="give a Parquet file")


_FAULTS = (OSError, pa.ArrowException, UnicodeDecodeError)
