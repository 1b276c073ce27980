"""Documents of many places, held by field, so that they are made and encoded together: the evidence of readings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, overload

import msgspec
import numpy as np
import pyarrow as pa

from core.block import Floats

_encoder = msgspec.json.Encoder()


class Documents(Sequence[dict[str, Any]]):
    """As many documents as there are `rows`. `fields` holds one value a document, None where a document does not have the field."""

    def __init__(self, rows: int, **fields: Sequence[Any]) -> None:
        self.rows = rows
        self.fields = fields

    def __len__(self) -> int:
        return self.rows

    @overload
    def __getitem__(self, row: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, row: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, row: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(self.rows))]
        if not -self.rows <= row < self.rows:
            raise IndexError(row)
        held = ((name, values[row]) for name, values in self.fields.items())
        return {name: msgspec.to_builtins(value) for name, value in held if value is not None}

    def structs(self) -> list[msgspec.Struct]:
        """The documents as they are encoded."""
        kind = _struct(tuple(self.fields))
        return [*map(kind, *self.fields.values())] if self.fields else [kind()] * self.rows


def numbers(values: Floats) -> list[float | None]:
    """A field of numbers, (rows,), of which NaN stands for none."""
    found: list[float | None] = values.tolist()
    return [None if one != one else one for one in found] if np.isnan(values).any() else found


def texts(documents: Sequence[dict[str, Any]]) -> pa.Array:
    """Each document as JSON."""
    lines = _encoder.encode_lines(documents.structs() if isinstance(documents, Documents) else documents)
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))  # a text has none of its own: JSON escapes it
    bounds = np.concatenate([[0], ends - np.arange(len(ends))]).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(bounds), pa.py_buffer(lines.replace(b"\n", b"")))


def joined(*parts: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The documents of several parts of the same rows, field after field. What two parts have is that of the later one."""
    fields: dict[str, Sequence[Any]] = {}
    for part in parts:
        if not isinstance(part, Documents) or fields.keys() & part.fields.keys():
            return [{name: value for one in row for name, value in one.items()} for row in zip(*parts, strict=True)]
        fields |= part.fields
    return Documents(len(parts[0]), **fields)


@lru_cache(1_000)
def _struct(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A struct with these fields, of which None is left out."""
    return msgspec.defstruct("Document", [(name, Any, None) for name in names], omit_defaults=True, gc=False)
