"""Which columns of raw events are read: all, or only some, the others being null in each row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats
from core.contract import Contract
from core.text import NULL
from storage.facts import column as col

_NOTHING = np.zeros(1, np.int32)


@dataclass(frozen=True)
class Picked:
    """The positions of the columns that are read among the numbers and among the texts of a contract's events, None for all; and how many of each there are."""

    of_numbers: tuple[int, ...] | None
    of_texts: tuple[int, ...] | None
    widths: tuple[int, int]

    @classmethod
    def of(cls, contract: Contract, only: Collection[str] | None) -> Self:
        """Of a contract, these columns; None: all."""
        numeric, texts = ([column.name for column in contract.kept if column.numeric is kind] for kind in (True, False))
        picked = (
            (None, None)
            if only is None
            else tuple(tuple(place for place, name in enumerate(names) if name in only) for names in (numeric, texts))
        )
        return cls(picked[0], picked[1], (len(numeric), len(texts)))

    @property
    def all(self) -> bool:
        """Whether all columns are read."""
        return self.of_numbers is None or self.of_texts is None

    @property
    def select(self) -> str:
        """The columns of a query. Their names differ from those of the table, since ClickHouse would confuse them."""
        if self.of_numbers is None or self.of_texts is None:
            return ", ".join(f"{name} AS picked_{name}" for name in ("probabilities", "numbers", "texts", "extra"))
        numbers = ", ".join(f"numbers[{place + 1}]" for place in self.of_numbers)
        texts = ", ".join(f"texts[{place + 1}]" for place in self.of_texts)
        return (
            f"CAST([{numbers}], 'Array(Float64)') AS picked_numbers, CAST([{texts}], 'Array(LowCardinality(String))') AS picked_texts,"
            " '' AS picked_extra"
        )

    def numbers(self, table: pa.Table) -> tuple[Floats, ...]:
        """The numeric columns of a query's answer."""
        places = range(self.widths[0]) if self.of_numbers is None else self.of_numbers
        rows = col.matrix(table["picked_numbers"]) if places else None
        held = {} if rows is None else {place: np.ascontiguousarray(rows[:, index]) for index, place in enumerate(places)}
        null = np.broadcast_to(np.nan, table.num_rows)
        return tuple(held.get(place, null) for place in range(self.widths[0]))

    def texts(self, table: pa.Table) -> tuple[Categories, ...]:
        """The columns of texts of a query's answer."""
        places, rows = range(self.widths[1]) if self.of_texts is None else self.of_texts, table.num_rows
        if not rows:
            return tuple(Categories(np.zeros(0, np.int32), []) for _ in range(self.widths[1]))
        held = dict(zip(places, _texts(table["picked_texts"], len(places)), strict=True))
        null = Categories(np.broadcast_to(_NOTHING, rows), [NULL])
        return tuple(held.get(place, null) for place in range(self.widths[1]))


def _texts(column: pa.ChunkedArray, width: int) -> tuple[Categories, ...]:
    if not width:
        return ()
    flat = col.categories(pa.chunked_array([chunk.flatten() for chunk in column.chunks]))
    codes = flat.codes.reshape(len(column), width)
    return tuple(_compact(Categories(np.ascontiguousarray(codes[:, index]), flat.texts)) for index in range(width))


def _compact(values: Categories) -> Categories:
    used, codes = np.unique(values.codes, return_inverse=True)
    return Categories(codes.astype(np.int32), [values.texts[code] for code in used])
