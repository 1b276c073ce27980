"""Derives the contract with its bins, and the summaries that windows are compared with, from the rows of a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from core import text
from core.block import Categories, Floats, Outcomes, Predictions
from core.classes import Classes, gathered, with_others
from core.contract import LABEL, PREDICTION, SCORE, Column, Contract, Dimension, Kind, Task
from core.error import ConfigError
from core.name import Named, check
from core.segment import ALL, Segments
from detectors.performance.roc_auc import mean_roc_auc
from detectors.summary import text_column, vector_column
from detectors.summary.bins import ranked
from detectors.summary.edition import EDITION
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from detectors.summary.score import members, score_edges, scores
from monitors.reference import arrow
from monitors.reference.arrow import Use, ValueForm
from monitors.reference.arrow_time import after
from monitors.reference.layout import FileLayout, layout
from monitors.reference.multivariate import with_multivariate
from monitors.reference.option import Options, Together
from monitors.reference.rows import classes_of, dimension, outcomes_of, predictions_of, probability_columns, score_column
from monitors.reference.signal import binned, names_of, with_signals
from monitors.reference.usual import usual_window

__all__ = ["Options", "ReferenceSummary", "column_roles", "content", "derive", "outcomes_of", "predictions_of", "summarise"]

VALUES = 100  # values of a dimension that have segments of their own
_FIRST_ROLES = frozenset(("id", "ts", "prediction", "score", "proba_prefix", "interval", "label", "label_ts"))  # that any contract has
CLASSES = 100  # a column with more values is not one of classes


@dataclass(frozen=True, eq=False)
class ReferenceSummary:
    """The summaries of a reference, for `all` and every segment in it. They have slot 0, version "" and role "".

    `auc` holds by segment the exact AUC of the rows (NaN if there is none) and the number of labelled rows with a score.
    `bins` is the number of bins of each watched column and of `@label`.
    """

    input: InputSummary
    performance: PerformanceSummary
    auc: dict[str, tuple[float, int]]
    bins: dict[str, int]

    @cached_property
    def rows(self) -> dict[str, int]:
        """The number of rows of each segment that has any, `all` first."""
        table = self.input.to_columns().filter(pc.field("column") == PREDICTION)
        found = dict(zip(table["segment"].to_pylist(), table["n"].to_pylist(), strict=True))
        return {segment: found[segment] for segment in sorted(found, key=lambda one: (one != ALL, one))}

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that have rows."""
        return tuple(self.rows)

    def counts(self, column: str) -> dict[str, Floats]:
        """Counts of all bins of a column by segment; for `@label` of the labelled rows. KeyError if there is no such column."""
        return self._counts[column]

    def of_column(self, column: str) -> pa.Table:
        """The rows of a column in the input summary; none if there is no such column."""
        first, after = self._rows_of_columns.get(column, (0, 0))
        return self._by_column.slice(first, after - first)

    @cached_property
    def _by_column(self) -> pa.Table:
        """The input summary in order of columns, so that those of one are a slice."""
        table = self.input.to_columns()
        return table.set_column(table.schema.get_field_index("column"), "column", table["column"].cast(pa.string())).sort_by("column")

    @cached_property
    def _rows_of_columns(self) -> dict[str, tuple[int, int]]:
        names, first = np.unique(np.array(self._by_column["column"].to_pylist(), np.object_), return_index=True)
        return dict(zip(names.tolist(), zip(first.tolist(), [*first[1:].tolist(), self._by_column.num_rows], strict=True), strict=True))

    @cached_property
    def _counts(self) -> dict[str, dict[str, Floats]]:
        found: dict[str, dict[str, Floats]] = {name: {} for name in self.bins}
        for row in self.input.to_columns().select(["column", "segment", "bin", "count"]).to_pylist():
            if row["column"] in found:
                found[row["column"]][row["segment"]] = _dense(row["bin"], row["count"], self.bins[row["column"]])
        for row in self.performance.to_columns().select(["segment", "label_bin", "label_count"]).to_pylist():
            found[LABEL][row["segment"]] = _dense(row["label_bin"], row["label_count"], self.bins[LABEL])
        return found

    def to_bytes(self) -> bytes:
        """The reference as bytes, which `from_bytes` reads."""
        tables = {"input": _ipc(self.input.to_columns()), "performance": _ipc(self.performance.to_columns())}
        return msgspec.msgpack.encode({"format": 1, **tables, "auc": self.auc, "bins": self.bins})

    @staticmethod
    def from_bytes(data: bytes) -> ReferenceSummary:
        """The reference that `to_bytes` wrote."""
        held = msgspec.msgpack.decode(data)
        return ReferenceSummary(
            input=InputSummary.from_columns(pa.ipc.open_stream(held["input"]).read_all()),
            performance=PerformanceSummary.from_columns(pa.ipc.open_stream(held["performance"]).read_all()),
            auc={segment: (value, n) for segment, (value, n) in held["auc"].items()},
            bins=held["bins"],
        )


def derive(
    model: str, table: pa.Table, options: Options, version: int = 1, held: Contract | None = None
) -> tuple[Contract, ReferenceSummary]:
    """The contract and the reference of a file. `held` is the model's current contract, whose names may stay.

    All rows count, also those without a time or a prediction (which are in the null bin of `@prediction`). Performance is that of the
    rows with both prediction and label. Raises ConfigError that names the option, the column and the columns of the file.
    """
    if not table.num_rows:
        raise ConfigError("the reference has no rows", remedy="give a file with the rows that the model was accepted on")
    found, given = layout(table, options), table.schema
    _check_names(found, held)
    table = arrow.read_table(table, found.uses)
    _check_rows(table, found, options)
    contract = _with_classes(table, found, _plain(model, version, found, options))
    block = predictions_of(table, contract)
    contract = _with_dimensions(table, contract, found)
    outcomes = outcomes_of(table, contract)
    contract = _with_bins(table, given, contract, block, outcomes)
    contract, block = with_signals(table, given, contract, block, names_of(found, contract, options.signals))
    contract = with_multivariate(contract, block, options.multivariate)
    contract = msgspec.structs.replace(contract, usual=usual_window(contract, block), facts=True, summary=EDITION)
    return contract, _summarise(contract, block, outcomes)


def summarise(contract: Contract, table: pa.Table, options: Options) -> tuple[Contract, ReferenceSummary]:
    """The reference of a file under the contract that was derived from it, perhaps by an earlier version; and the contract, which says that this edition summarised it."""
    table = arrow.read_table(table, layout(table, options).uses)
    found = _summarise(contract, predictions_of(table, contract), outcomes_of(table, contract))
    return msgspec.structs.replace(contract, facts=True, summary=EDITION), found


def content(table: pa.Table, options: Options) -> tuple[str, str]:
    """A hash of the values and options that `derive` uses, however the file stores the values; and the hash that some earlier versions made of the same.

    Roles and options that came later count only where they are given, so that the hash of a file stays what it was.
    """
    found = layout(table, options)
    together = () if options.multivariate is Together.AUTO else (options.multivariate,)
    first, later = (options.task, options.positive, options.threshold, options.earliest), (options.signals, *together)
    rest = first if later == (None,) else (*first, *later)
    roles = {name: value for name, value in msgspec.structs.asdict(found.roles).items() if name in _FIRST_ROLES or value is not None}
    same = [found.features, found.kinds, found.dimensions, sorted(found.protected), found.crosses]
    digests = [hashlib.sha256(msgspec.json.encode([one, *same, more])) for one, more in ((roles, rest), (found.roles, (*first, *later)))]
    for name, use in sorted(found.uses.items()):
        small = use == Use.NUMBER and arrow.precision(table.schema.field(name).type).__name__
        parts = [*_canonical(arrow.read(name, table[name], use)), *([small.encode()] if small and small != "float64" else [])]
        for digest in digests:
            digest.update(msgspec.json.encode(name))
            for part in parts:
                digest.update(part)
    stable, before = (digest.hexdigest() for digest in digests)
    return stable, before


def column_roles(table: pa.Table, options: Options, contract: Contract) -> dict[str, Any]:
    """How each column of a file is used, ready for JSON: rows, roles, features, tags, left_out, and those in which `nan` is read as null."""
    found = layout(table, options)
    meant = set(probability_columns(table, contract).values())
    unmatched = [name for name in found.filled.get("proba_prefix", ()) if name not in meant]
    filled = {role: tuple(name for name in names if name not in unmatched) for role, names in found.filled.items()}
    left = found.left | dict.fromkeys(unmatched, f"a probability of no class of the model; its classes are {', '.join(contract.classes)}")
    answer = replace(found, filled={role: names for role, names in filled.items() if names}, left=left).described()
    signals = [{"name": column.name, "kind": column.kind.value} for column in contract.signals]
    return {"rows": table.num_rows, **answer, "signals": signals, "nan": [name for name in found.uses if arrow.has_nan(table[name])]}


def _canonical(values: pa.ChunkedArray) -> tuple[bytes, ...]:
    """The values of a column as bytes that do not depend on chunks, dictionaries or the width of numbers."""
    there = np.packbits(np.asarray(values.is_valid()))
    if kinds.is_integer(values.type) or kinds.is_floating(values.type):
        return b"number", there.tobytes(), np.asarray(values.cast(pa.float64(), safe=False).fill_null(0.0)).tobytes()
    if arrow.takes(Use.VECTOR, values.type) and not kinds.is_null(values.type):
        lengths = pc.list_value_length(values).fill_null(0)
        numbers = pc.list_flatten(values).cast(pa.float64(), safe=False).fill_null(np.nan)
        return b"vector", there.tobytes(), np.asarray(lengths.cast(pa.int32())).tobytes(), np.asarray(numbers).tobytes()
    if kinds.is_timestamp(values.type):
        return b"time", there.tobytes(), np.asarray(values.cast(pa.int64()).fill_null(0)).tobytes()
    found = Categories.of([str(value) for value in values.to_pylist()])
    return b"text", there.tobytes(), found.codes.tobytes(), msgspec.json.encode(found.texts)


def _plain(model: str, version: int, found: FileLayout, options: Options) -> Contract:
    """The contract as far as it follows from the names of columns."""
    return Contract(
        model=model,
        version=version,
        task=options.task,
        features=tuple(
            vector_column.column(name, found.sizes[name]) if name in found.sizes else Column(name=name, kind=found.kinds[name])
            for name in found.features
        ),
        tags=tuple(Column(name=name, kind=found.kinds[name]) for name in found.tags),
        crosses=found.crosses,
        positive=text.class_of(options.positive, binary=options.task == Task.BINARY),
        threshold=options.threshold,
        earliest=options.earliest,
        roles=found.roles,
    )


def _check_names(found: FileLayout, held: Contract | None) -> None:
    """Check that new columns and dimensions follow the rule for names."""
    columns = [] if held is None else [column.name for column in held.columns]
    dimensions = [] if held is None else [dimension.name for dimension in held.dimensions]
    for name in (*found.features, *found.tags):
        check(Named.COLUMN, name, columns)
    for name in (name for name in found.dimensions if not name.startswith("@")):
        check(Named.DIMENSION, name, dimensions)


def _check_rows(table: pa.Table, found: FileLayout, options: Options) -> None:
    """Check that there are predictions, and that not all of them are before `earliest`."""
    name = found.roles.prediction
    if table[name].null_count == table.num_rows:
        raise ConfigError(
            f"column {name!r}: all predictions are null", remedy="give rows with predictions, or name their column with --prediction"
        )
    if found.roles.ts in table.column_names:
        after(found.roles.ts, table[found.roles.ts], options.earliest)


def _with_classes(table: pa.Table, found: FileLayout, contract: Contract) -> Contract:
    """The contract with its classes: those of predictions and labels, and those that have a probability."""
    if contract.task == Task.REGRESSION:
        return contract
    binary = contract.task == Task.BINARY
    held = [(name, classes_of(table, name, contract)) for name in (found.roles.prediction, found.roles.label) if name in table.column_names]
    columns = [
        (ranked(values), arrow.form(table.schema.field(name).type) == ValueForm.TEXT)
        for name, values in held
        if isinstance(values, Categories)
    ]
    seen = gathered(columns, binary=binary)
    suffixes = {name: text.of(name.removeprefix(found.roles.proba_prefix)) for name in found.filled.get("proba_prefix", ())}
    option, listed = "--prediction " + found.roles.prediction, ", ".join(seen[:10])
    if not binary:
        if len(seen) > CLASSES:
            raise ConfigError(f"{option}: {len(seen)} classes ({listed}, ...) are too many", remedy="for numbers use --task regression")
        return msgspec.structs.replace(contract, classes=with_others(seen, suffixes.values()), scored=bool(suffixes))
    (positive,) = gathered([((contract.positive,), True)], binary=True)
    classes = tuple(sorted({*seen, positive}))
    if len(classes) > 2:
        raise ConfigError(
            f"--positive {contract.positive}: the classes of {found.roles.prediction!r} and {found.roles.label!r} are {listed}",
            remedy="a binary model has two classes, and --positive is one of them",
        )
    known = Classes(classes, binary=True)
    meant = [name for name, suffix in suffixes.items() if known.find(suffix) == positive]
    if len(meant) > 1 and found.roles.score not in table.column_names:
        raise ConfigError(
            f"columns {', '.join(meant)} are probabilities of one class, {positive}", remedy="leave one of them out of the file"
        )
    scored = found.roles.score in table.column_names or bool(meant)
    return msgspec.structs.replace(contract, classes=classes, positive=positive, scored=scored)


def _with_dimensions(table: pa.Table, contract: Contract, found: FileLayout) -> Contract:
    """The contract with the kept values of its dimensions."""
    dimensions = tuple(
        Dimension(name=name, values=ranked(dimension(table, contract, name))[:VALUES], protected=name in found.protected)
        for name in found.dimensions
    )
    return msgspec.structs.replace(contract, dimensions=dimensions)


def _with_bins(table: pa.Table, given: pa.Schema, contract: Contract, block: Predictions, outcomes: Outcomes) -> Contract:
    """The contract with the bins of all watched columns; `given` is the schema of the file."""
    numeric, texts = iter(block.numbers), iter(block.texts)
    values = {column.name: next(numeric) if column.numeric else next(texts) for column in contract.columns}
    label = outcomes.label if len(outcomes) else block.prediction
    outputs = {PREDICTION: block.prediction, **({SCORE: block.score} if _binary_score(contract) else {}), LABEL: label}
    roles = contract.roles
    sources = {
        PREDICTION: roles.prediction,
        SCORE: score_column(table, contract),
        LABEL: roles.label if len(outcomes) else roles.prediction,
    }
    small = {name: arrow.precision(given.field(source).type) for name, source in sources.items() if source in given.names}
    vectors = {
        column.name: vector_column.profiled(column.name, held)
        for column, held in zip(vector_column.vector_columns(contract), block.vectors, strict=True)
    }
    small |= {column.name: arrow.precision(given.field(column.name).type) for column in contract.columns}
    return msgspec.structs.replace(
        contract,
        features=tuple(
            vectors.get(column.name) or _feature(column, values[column.name], small[column.name]) for column in contract.features
        ),
        tags=tuple(binned(column.name, values[column.name], small[column.name]) for column in contract.tags),
        outputs=tuple(binned(name, one, small[name]) for name, one in outputs.items()),
        score_edges=_score_edges(table, contract, block, outcomes),
    )


def _feature(column: Column, values: Categories | Floats, precision: type[np.floating[Any]]) -> Column:
    return text_column.column(column.name) if column.kind == Kind.TEXT else binned(column.name, values, precision)


def _score_edges(table: pa.Table, contract: Contract, block: Predictions, outcomes: Outcomes) -> tuple[tuple[float, ...], ...]:
    """The score edges of the positive class, or of every class; none for a class without a column of probabilities."""
    if _binary_score(contract):
        if isinstance(outcomes.label, Categories) and np.isfinite(outcomes.score).any():
            return (score_edges(outcomes.score, members(contract, outcomes.label)[:, 0]),)
        return (score_edges(block.score, np.zeros(len(block), np.bool_)),)  # no labels
    if not contract.scored or outcomes.probabilities is None or not isinstance(outcomes.label, Categories):
        return ()
    truth, columns = members(contract, outcomes.label), probability_columns(table, contract)
    return tuple(
        score_edges(outcomes.probabilities[:, index], truth[:, index]) if name in columns else ()
        for index, name in enumerate(contract.classes)
    )


def _binary_score(contract: Contract) -> bool:
    return contract.scored and contract.task == Task.BINARY


def _summarise(contract: Contract, block: Predictions, outcomes: Outcomes) -> ReferenceSummary:
    """The summaries of all rows, regardless of their times."""
    segments = Segments(contract)
    inputs = InputSummary.of(contract, segments, replace(block, ts=np.zeros_like(block.ts)))
    performance = PerformanceSummary.of(contract, segments, replace(outcomes, ts=np.zeros_like(outcomes.ts)))
    watched = (*contract.summarised, contract.column(LABEL))
    return ReferenceSummary(
        input=InputSummary.from_columns(inputs.to_columns()),
        performance=PerformanceSummary.from_columns(performance.to_columns()),
        auc=_auc(contract, segments, outcomes),
        bins={column.name: column.bins for column in watched},
    )


def _auc(contract: Contract, segments: Segments, outcomes: Outcomes) -> dict[str, tuple[float, int]]:
    """The exact AUC of each segment, from its rows."""
    if contract.task == Task.REGRESSION or not len(outcomes) or not isinstance(outcomes.label, Categories):
        return {}
    truth, held = members(contract, outcomes.label), scores(contract, outcomes)
    found: dict[str, tuple[float, int]] = {}
    for numbers in segments.assign(len(outcomes), outcomes.dimensions):
        distinct, group = np.unique(numbers, return_inverse=True)
        values, n = mean_roc_auc(group, len(distinct), truth, held)
        found |= {segments.name(int(one)): (float(value), int(rows)) for one, value, rows in zip(distinct, values, n, strict=True)}
    return found


def _dense(bins: list[int], counts: list[int], width: int) -> Floats:
    dense = np.zeros(width)
    dense[bins] = counts
    return dense


def _ipc(table: pa.Table) -> Any:
    """The table as one Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
