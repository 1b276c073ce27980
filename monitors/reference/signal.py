"""The signals of a reference: those that its file gives, and their bins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Predictions
from core.contract import Column, Contract, Kind
from core.error import ConfigError
from detectors.summary.bins import edges, extremes, kept, once, spread, tails
from detectors.summary.signal import ATTRIBUTION, SIGNALS, STATUSES, TEXT, VECTOR, Given, Signal, derive, of_columns, signal
from monitors.reference import arrow
from monitors.reference.layout import FileLayout, prefixed
from monitors.reference.rows import fields

NONE = "none"
_ROLES = {
    "interval": "interval",
    "prediction_set": "prediction_set",
    "ensemble": "ensemble_prefix",
    "latency_ms": "latency",
    "status": "status",
    "caller": "caller",
}


def names_of(found: FileLayout, contract: Contract, wanted: Collection[str] | None = None) -> tuple[str, ...]:
    """The signals that a file gives, in the table's order; with `wanted` those of them, by their names with or without @, and those to segment by. Those of text columns are always there.

    ConfigError if one is not given.
    """
    there = [name for one in SIGNALS if contract.task in one.tasks for name in _given(one, found, contract)]
    texts = of_columns(contract)
    if wanted is None:
        return (*there, *texts)
    names = {name if name.startswith("@") else f"@{name}" for name in wanted if name != NONE}
    names |= {name for name in found.dimensions if name.startswith("@")}
    for name in sorted(names - {*there, *texts}):
        raise ConfigError(f"--signals {name}: the file does not give it", remedy=f"it gives {', '.join(there) or NONE}; or write {NONE}")
    return (*(name for name in there if name in names), *texts)


def with_signals(
    table: pa.Table, given: pa.Schema, contract: Contract, block: Predictions, names: Sequence[str]
) -> tuple[Contract, Predictions]:
    """The contract with signals and their bins, and the block with their values; `given` is the schema of the file."""
    kinds = {name: one.kind for name in names if (one := signal(name)) is not None}
    contract = msgspec.structs.replace(contract, signals=tuple(Column(name=name, kind=kind) for name, kind in kinds.items()))
    numbers, texts = iter(block.numbers), iter(block.texts)
    columns = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.columns}
    values = derive(Given(contract, columns, block.score, block.probabilities, fields(table, contract)))
    signals = tuple(_column(name, one, contract, _precision(name, contract, given)) for name, one in values.items())
    return msgspec.structs.replace(contract, signals=signals), block.with_columns((*columns.values(), *values.values()))


def binned(name: str, values: Categories | Floats, precision: type[np.floating[Any]] = np.float64) -> Column:
    """A column with its frozen bins, of values that were rounded to a precision."""
    if isinstance(values, Categories):
        categories, others = kept(values)
        return Column(name=name, kind=Kind.CATEGORICAL, categories=categories, others=others, once=once(values, others))
    small = (values, precision)
    return Column(name=name, kind=Kind.NUMERIC, edges=edges(*small), tails=tails(*small), range=extremes(*small), spread=spread(values))


def _column(name: str, values: Categories | Floats, contract: Contract, precision: type[np.floating[Any]]) -> Column:
    one, column = signal(name), binned(name, values, precision)
    if one is None or not one.frozen:
        return column
    if one.edges is None:
        return msgspec.structs.replace(column, categories=STATUSES, others=())
    return msgspec.structs.replace(column, edges=one.edges(contract))


def _given(one: Signal, found: FileLayout, contract: Contract) -> list[str]:
    """The names under which a file gives a signal: several for attributions, else one or none."""
    if one.name == ATTRIBUTION:
        features = {column.name for column in contract.features}
        named = prefixed(found.filled.get("attribution_prefix", ()), contract.roles.attribution_prefix).values()
        return [ATTRIBUTION + name for name in named if name in features]
    if one.field == "score":
        return [one.name] if contract.scored else []
    if one.name.startswith((TEXT, VECTOR)):
        return []
    if one.field == "features":
        return [one.name] if contract.features else []
    return [one.name] if _ROLES[one.field] in found.filled else []


def _precision(name: str, contract: Contract, given: pa.Schema) -> type[np.floating[Any]]:
    """The precision of the one column that an attribution stands in; what is computed has that of float64."""
    if not name.startswith(ATTRIBUTION):
        return np.float64
    return arrow.precision(given.field(f"{contract.roles.attribution_prefix}{name.removeprefix(ATTRIBUTION)}").type)
