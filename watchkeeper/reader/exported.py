"""Reads many events as tables, a portion after the other, with the columns that the contract names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from core.block import Categories, Ints, Predictions
from core.contract import Contract
from core.event_query import EventQuery
from monitors.evidence.conversion import convert
from monitors.reference.production import columns_of
from storage.facts.event_export import Portion
from watchkeeper.reader.sources import Sources

_ROWS = 100_000  # of a portion; fewer of wide events
_VALUES = 4_000_000  # of a portion
# Columns beside those of the contract: no feature can have such a name.
VERSION, ROLE, WEIGHT = "@version", "@role", "@weight"


class ExportReader(Sources):
    """Reads exports of events."""

    def export(self, asked: EventQuery, most: int | None = None, *, beside: bool = False) -> Iterator[pa.Table]:
        """The events that are asked for, all of them or `most`, as tables of one schema, one at least. `asked.limit` does not count.

        The columns are those of a reference file, as the newest contract names them, with the label that holds now or did at `as_of`. What could not be used is null, and so is a column that
        an earlier contract version did not have. Texts are left out, since their content is not kept. `beside`: with `@version`, `@role` and `@weight` (that of the label). Raises ConfigError.
        """
        contracts = self._versions(asked.model)
        newest = contracts[-1]
        members = self._stores.exported.most_members(asked) if any("ensemble" in one.name for one in newest.signals) else 0
        asked = msgspec.structs.replace(asked, limit=rows_of_portion(contracts, members))
        for portion in self._stores.exported.portions(contracts, asked, most):
            yield _table(newest, portion, members, beside=beside)


def rows_of_portion(contracts: Sequence[Contract], members: int) -> int:
    """How many events are read at a time: so many that their values take some 32 MB, those of vectors, of classes and of the `members` of ensembles among them."""
    vectors = [sum(column.embedding.size for column in one.columns if column.embedding) for one in contracts]
    width = members + max(len(one.kept) + len(one.classes) + vector for one, vector in zip(contracts, vectors, strict=True))
    return max(1, min(_ROWS, _VALUES // max(width, 1)))


def _table(newest: Contract, portion: Portion, members: int, *, beside: bool) -> pa.Table:
    """The events of a portion in their order."""
    labels = {one: (truth.text, truth.number, truth.at) for one, truth in portion.truths.items()}
    tables = []
    for part in portion.parts:
        events = convert(part.events, part.contract, newest)
        columns = columns_of(newest, events, labels, members)
        if beside:
            columns |= {VERSION: _texts(events.version), ROLE: _texts(events.role), WEIGHT: _weights(events, portion)}
        tables.append(pa.table(columns))
    return tables[0] if len(tables) == 1 else _in_order(tables, [part.places for part in portion.parts])


def _in_order(tables: Sequence[pa.Table], places: Sequence[Ints]) -> pa.Table:
    return pa.concat_tables(tables).take(pa.array(np.argsort(np.concatenate(places), kind="stable")))


def _texts(values: Categories) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(values.codes, pa.int32()), pa.array(list(values.texts), pa.string())).cast(pa.string())


def _weights(events: Predictions, portion: Portion) -> pa.Array:
    held = [portion.truths.get(one) for one in events.id.tolist()]
    weights = np.array([np.nan if one is None else one.weight for one in held], np.float64)
    return pa.array(weights, pa.float64(), mask=~np.isfinite(weights))
