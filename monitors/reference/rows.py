"""The rows of a file as blocks, from its columns as `monitors.reference.arrow` reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from core import moment, text
from core.block import Categories, Floats, Ints, Outcomes, Predictions, Vectors
from core.classes import Classes
from core.contract import Column, Contract, Kind, Task
from core.extra import Fields, latencies
from core.region import ensembles, intervals
from core.region import sets as sets_of
from detectors.summary import text_column, vector_column
from detectors.summary.delay import UNKNOWN, delays
from detectors.summary.signal import STATUSES, derived, fields_needed
from monitors.reference import arrow
from monitors.reference.arrow import Use

_TEXTS = 10_000  # rows of texts that are read at a time


def predictions_of(table: pa.Table, contract: Contract) -> Predictions:
    """All rows of a table that `monitors.reference.arrow` has read, as predictions, also rows with nulls. Version and role are "", rows count from 0.

    A missing column is null in every row, and a missing time is 0. Signals are derived as from events.
    """
    rows, roles = table.num_rows, contract.roles
    vectors = {column.name: vectors_of(table, column) for column in vector_column.vector_columns(contract)}
    held = [
        written(table, column.name)[0]
        if column.kind == Kind.TEXT
        else vectors[column.name][0]
        if column.kind == Kind.VECTOR
        else _column(table, column.name, numeric=column.numeric)
        for column in contract.columns
    ]
    block = Predictions(
        id=_ids(table, roles.id),
        ts=times(table[roles.ts]) if roles.ts in table.column_names else np.zeros(rows, np.int64),
        version=_nothing(rows),
        role=_nothing(rows),
        prediction=classes_of(table, roles.prediction, contract),
        score=_score(table, contract),
        probabilities=_probabilities(table, contract),
        numbers=tuple(values for values in held if not isinstance(values, Categories)),
        texts=tuple(values for values in held if isinstance(values, Categories)),
        extra=np.full(rows, "", np.object_),
        position=np.zeros(rows, np.int64),
        row=np.arange(rows),
        logged=np.zeros(rows, np.int64),
        vectors=tuple(found for _, found in vectors.values()),
    )
    return derived(contract, block, fields(table, contract))


def outcomes_of(table: pa.Table, contract: Contract) -> Outcomes:
    """The rows that have both a label and a prediction, as outcomes; for regression both must be finite."""
    prediction = classes_of(table, contract.roles.prediction, contract)
    label = classes_of(table, contract.roles.label, contract)
    rows = np.flatnonzero(there(prediction) & there(label))
    values, scores = _probabilities(table, contract), _score(table, contract)
    dimensions = {one.name: dimension(table, contract, one.name) for one in contract.dimensions}
    moments = times(table[contract.roles.ts]) if contract.roles.ts in table.column_names else np.zeros(table.num_rows, np.int64)
    waited, interval, sets = _delay(table, contract), _intervals(table, contract), _sets(table, contract)
    ensemble = ensembles(*_members(table, contract)) if contract.task == Task.REGRESSION and contract.roles.ensemble_prefix else None
    return Outcomes(
        ts=moments[rows],
        version=_nothing(len(rows)),
        role=_nothing(len(rows)),
        dimensions={name: values.take(rows) for name, values in dimensions.items()},
        prediction=prediction.take(rows) if isinstance(prediction, Categories) else prediction[rows],
        label=label.take(rows) if isinstance(label, Categories) else label[rows],
        score=scores[rows],
        probabilities=None if values is None else values[rows],
        delay=None if waited is None else waited[rows],
        interval=None if interval is None else (interval[0][rows], interval[1][rows]),
        sets=None if sets is None else sets[rows],
        ensemble=None if ensemble is None else ensemble[rows],
    )


def _intervals(table: pa.Table, contract: Contract) -> tuple[Floats, Floats] | None:
    """The prediction intervals of all rows; None if the file has none."""
    if contract.task != Task.REGRESSION or contract.roles.interval is None:
        return None
    lower, upper, _ = contract.roles.interval
    return intervals(_number(table, lower), _number(table, upper))


def _sets(table: pa.Table, contract: Contract) -> Floats | None:
    """The prediction sets of all rows; None if the file has none."""
    name = contract.roles.prediction_set
    if contract.task == Task.REGRESSION or name not in table.column_names or kinds.is_null(table[name].type):
        return None
    values, there = table[name], table[name].is_valid().to_numpy()
    row = pc.list_parent_indices(values).to_numpy().astype(np.int64)
    return sets_of(contract, pc.list_flatten(values).to_pylist(), row, there.tolist())


def _delay(table: pa.Table, contract: Contract) -> Ints | None:
    """The time from each prediction to its label, where the file has both times; None if it has no such columns."""
    roles = contract.roles
    if not {roles.ts, roles.label_ts} <= set(table.column_names):
        return None
    ts, label_ts = times(table[roles.ts]), times(table[roles.label_ts])
    known = table[roles.ts].is_valid().to_numpy() & table[roles.label_ts].is_valid().to_numpy() & (ts > moment.EARLIEST)
    return np.where(known, delays(ts, label_ts), UNKNOWN)


def dimension(table: pa.Table, contract: Contract, name: str) -> Categories:
    """The texts of a dimension: of a column, or of the signal `@status` or `@caller`."""
    if name == "@status":
        return _own(table, contract.roles.status, _status)
    return _own(table, contract.roles.caller if name == "@caller" else name, text.of)


def fields(table: pa.Table, contract: Contract) -> Fields:
    """The optional fields of events that a contract's signals are made of, from the columns of their roles: as if the rows were sent."""
    needed, roles = fields_needed(contract), contract.roles
    held: dict[str, Floats] = {}
    if "latency_ms" in needed:
        held["latency_ms"], _ = latencies(_number(table, roles.latency))
    if "interval" in needed:
        lower, upper = (_number(table, str(name)) for name in (roles.interval or ("", ""))[:2])
        missing = np.isnan(lower) | np.isnan(upper)
        held |= {"interval.lower": np.where(missing, np.nan, lower), "interval.upper": np.where(missing, np.nan, upper)}
    if "prediction_set" in needed and roles.prediction_set in table.column_names:
        sets = table[roles.prediction_set]
        held["set_size"] = np.full(table.num_rows, np.nan) if kinds.is_null(sets.type) else numbers(pc.list_value_length(sets))
    for name in (name for name in needed if name.startswith("attributions.")):
        held[name] = _number(table, f"{roles.attribution_prefix}{name.removeprefix('attributions.')}")
    for column in text_column.text_columns(contract) if contract.signals else ():
        held |= written(table, column.name)[1]
    for column in vector_column.vector_columns(contract) if contract.signals else ():
        states, vectors = vectors_of(table, column)
        held |= vector_column.statistics(column, vectors, states)
    ensemble: dict[str, Any] = {}
    if "ensemble" in needed:
        ensemble["members"], ensemble["counts"] = _members(table, contract)
    return Fields(held, {name: dimension(table, contract, f"@{name}") for name in ("status", "caller") if name in needed}, **ensemble)


def _members(table: pa.Table, contract: Contract) -> tuple[Floats, Ints]:
    """The members of all rows' ensembles, one after the other, and how many each has: those that are not null, -1 where one is invalid."""
    prefix = contract.roles.ensemble_prefix or ""
    members = np.column_stack(
        [np.zeros((table.num_rows, 0)), *(_number(table, name) for name in table.column_names if name.startswith(prefix))]
    )
    wrong: npt.NDArray[np.bool_] = np.any(np.isinf(members), axis=1)
    sent = ~np.isnan(members) & ~wrong[:, None]
    return members[sent], np.where(wrong, -1, sent.sum(axis=1))


def _status(value: object) -> str:
    return text.NULL if value is None else value if isinstance(value, str) and value in STATUSES else text.INVALID


def _own(table: pa.Table, name: str | None, write: Callable[[object], str]) -> Categories:
    if name not in table.column_names:
        return Categories(np.zeros(table.num_rows, np.int32), [text.NULL])
    return texts(table[name], write)


def _number(table: pa.Table, name: str | None) -> Floats:
    return numbers(table[name]) if name in table.column_names else np.full(table.num_rows, np.nan)


def classes_of(table: pa.Table, name: str, contract: Contract) -> Categories | Floats:
    """A column of predictions or labels: numbers for regression, else the classes that are meant. Null where there is no such column."""
    if contract.task == Task.REGRESSION:
        return _column(table, name, numeric=True)
    if name not in table.column_names:
        return Categories(np.zeros(table.num_rows, np.int32), [text.NULL])
    found = texts(table[name], lambda value: text.class_of(value, binary=contract.task == Task.BINARY))
    return Classes.of(contract).column(found) if contract.classes else found


def probability_columns(table: pa.Table, contract: Contract) -> dict[str, str]:
    """The columns that hold probabilities, by class."""
    return Classes.of(contract).columns(table.column_names, contract.roles.proba_prefix)


def texts(values: pa.ChunkedArray, write: Callable[[object], str] = text.of) -> Categories:
    """A column as texts; `write` gives a value its text."""
    if kinds.is_null(values.type):
        return Categories(np.zeros(len(values), np.int32), [text.NULL])
    encoded = _whole(values.unify_dictionaries() if kinds.is_dictionary(values.type) else values).dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    table: dict[str, int] = {}
    distinct = [None if value != value else value for value in encoded.dictionary.to_pylist()]
    remap = np.array([table.setdefault(write(value), len(table)) for value in (*distinct, None)], np.int32)
    return Categories(remap[codes], list(table))


def numbers(values: pa.ChunkedArray) -> Floats:
    """A column of numbers: null is NaN, infinity is +infinity."""
    found = np.array(_whole(values.cast(pa.float64(), safe=False)).to_numpy(zero_copy_only=False), np.float64)
    found[np.isinf(found)] = np.inf
    return found


def times(values: pa.ChunkedArray) -> Ints:
    """A column of times as microseconds; 0 where there is no time."""
    return np.asarray(_whole(values.cast(pa.int64()).fill_null(0)).to_numpy(zero_copy_only=False), np.int64)


def written(table: pa.Table, name: str) -> tuple[Categories, Mapping[str, Floats]]:
    """The states and the statistics of a text column; of numbers they are invalid."""
    if name not in table.column_names:
        return text_column.read(name, [None] * table.num_rows)
    parts = [text_column.read(name, chunk.to_pylist()) for batch in table.select([name]).to_batches(_TEXTS) for chunk in batch.columns]
    if not parts:
        return text_column.read(name, [])
    return Categories.concat([states for states, _ in parts]), {
        one: np.concatenate([statistics[one] for _, statistics in parts]) for one in text_column.names(name)
    }


def vectors_of(table: pa.Table, column: Column) -> tuple[Categories, Vectors]:
    """The states of a vector column and its vectors (rows, size); a list of another length, or with a null or NaN, is invalid."""
    size = vector_column.embedding(column).size
    found = np.full((table.num_rows, size), np.nan, np.float32)
    if column.name not in table.column_names or kinds.is_null(table[column.name].type):
        return vector_column.states(found, np.ones(len(found), np.bool_)), found
    values = table[column.name]
    if not arrow.takes(Use.VECTOR, values.type):
        return vector_column.states(found, values.is_null().to_numpy()), found
    fits = pc.fill_null(pc.equal(pc.list_value_length(values), size), pa.scalar(value=False))
    numbers = pc.list_flatten(values.filter(fits)).cast(pa.float64(), safe=False).to_numpy()
    with np.errstate(over="ignore"):
        found[fits.to_numpy()] = numbers.reshape(-1, size)
    states = vector_column.states(found, values.is_null().to_numpy())
    found[states.codes != 0] = np.nan
    return states, found


def _column(table: pa.Table, name: str, *, numeric: bool) -> Categories | Floats:
    if name in table.column_names:
        return numbers(table[name]) if numeric else texts(table[name])
    return np.full(table.num_rows, np.nan) if numeric else Categories(np.zeros(table.num_rows, np.int32), [text.NULL])


def score_column(table: pa.Table, contract: Contract) -> str | None:
    """The column of the positive class's scores: its own, or that of the positive class's probability; None where there is none."""
    if contract.task != Task.BINARY:
        return None
    own = contract.roles.score
    return own if own in table.column_names else probability_columns(table, contract).get(contract.positive)


def _score(table: pa.Table, contract: Contract) -> Floats:
    """The positive class's score; NaN where there is none."""
    name = score_column(table, contract)
    if name is None:
        return np.full(table.num_rows, np.nan)
    found = numbers(table[name])
    return np.where(np.isfinite(found), found, np.nan)


def _probabilities(table: pa.Table, contract: Contract) -> Floats | None:
    """(rows, classes) of a multiclass model, NaN where a cell is null or a class has no column."""
    columns = probability_columns(table, contract)
    if contract.task != Task.MULTICLASS or not columns:
        return None
    found = [numbers(table[columns[one]]) if one in columns else np.full(table.num_rows, np.nan) for one in contract.classes]
    return np.where(np.isfinite(stacked := np.column_stack(found)), stacked, np.nan)


def there(values: Categories | Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of n values are neither null nor invalid: (n,)."""
    if not isinstance(values, Categories):
        return np.isfinite(values)
    return np.array([name not in {text.NULL, text.INVALID} for name in values.texts], np.bool_)[values.codes]


def _ids(table: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    if name not in table.column_names:
        return np.full(table.num_rows, "", np.object_)
    return np.array(["" if value is None else str(value) for value in table[name].to_pylist()], np.object_)


def _nothing(rows: int) -> Categories:
    return Categories(np.zeros(rows, np.int32), [""])


def _whole(values: pa.ChunkedArray) -> pa.Array:
    """The chunks as one array."""
    whole = values.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
