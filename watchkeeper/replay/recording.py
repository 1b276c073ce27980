"""Turns the rows of a Parquet file into events: a prediction at `ts` and its label at `label_ts`, merged in time order.

It reads the file and makes bodies of NDJSON; `send` sends them. All times are microseconds.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment, text
from core.block import Ints
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from core.name import Named, check
from monitors.reference import arrow
from monitors.reference.arrow import Use, ValueForm
from monitors.reference.arrow_time import after
from watchkeeper.parquet import Parquet
from watchkeeper.replay.fit import attributions, differences, ensemble, uses

WEEK = 7 * moment.DAY
_NONE = -(2**62)  # the time of a row without one: the row is sent first, and the server says what is wrong with it
_BATCH = 65_536  # rows that are checked together before anything is sent
_ID = "@id"  # the column of ids beside those of the file
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Stretch:
    """Some predictions, and the labels with times up to that of the last of them. `start` and `end` are event times; bodies are NDJSON."""

    start: int
    end: int
    predictions: bytes
    labels: tuple[bytes, ...]
    events: int


class Recording:
    """The events in the file at `path` of the model with `contract`; `label_ts` names another column for the labels' times, and
    `last` leaves out the predictions that are older than so many microseconds before the last one, and their labels.

    Memory holds the times, the ids and the labels of the whole file, and the rest of it only where the file is not in order of time.
    `notes` says in what the file differs from the contract. Raises ConfigError if the file cannot be read, lacks a column that it must have, or has one
    whose type or times cannot be read.
    """

    def __init__(self, path: Path, contract: Contract, *, version: str = "1", label_ts: str | None = None, last: int | None = None) -> None:
        self._file = Parquet(path, str(path))
        self._contract, self._version, roles = contract, check(Named.VERSION, version), contract.roles
        self._names = frozenset(self._file.schema.names)
        needed = [roles.id, roles.ts, roles.prediction, *([label_ts] if label_ts else [])]
        if missing := [name for name in needed if name not in self._names]:
            has = ", ".join(self._file.schema.names)
            raise ConfigError(f"{path} has no column {', '.join(missing)}", remedy=f"its columns are {has}")
        label_ts = label_ts or roles.label_ts
        self._probabilities = self._classes()
        self._uses = uses(self._file.schema, contract, self._probabilities)
        self.notes = differences(self._file.schema, contract, label_ts, {*self._uses, roles.id, roles.ts, roles.label, label_ts})
        self._ids, ts = self._column(roles.id, Use.ID), self._column(roles.ts, Use.TIME)
        self._check(ts)
        self._ts = _microseconds(ts)
        self._kept = np.ones(len(self._ts), np.bool_) if last is None else self._ts > self._ts.max(initial=_NONE) - last
        self._sorted = bool((np.diff(self._ts) >= 0).all() and self._kept.all())
        self._label_times, self._labels = self._read_labels(label_ts)

    def _check(self, ts: pa.ChunkedArray) -> None:
        """Check before anything is sent that bytes are text, and that there are times, ids and predictions."""
        roles = self._contract.roles
        after(roles.ts, ts, self._contract.earliest)
        text = [name for name in self._uses if arrow.form(self._file.schema.field(name).type) == ValueForm.TEXT]
        there = {roles.id: self._ids.null_count < len(ts), roles.ts: ts.null_count < len(ts), roles.prediction: not len(ts)}
        for table in self._file.batches(_BATCH, sorted({*text, roles.prediction})):
            read = {name: arrow.read(name, table[name], self._uses[name]) for name in table.column_names}
            there[roles.prediction] |= read[roles.prediction].null_count < len(table)
        if empty := [name for name, found in there.items() if not found and len(ts)]:
            raise ConfigError(f"column {empty[0]!r}: all values are null", remedy="no row could be taken: give ids, times and predictions")

    @property
    def events(self) -> int:
        """How many predictions and labels there are to send."""
        return int(self._kept.sum()) + len(self._label_times)

    def weeks_until(self, now: int) -> int:
        """The greatest whole number of weeks, in microseconds, by which all times can move without one lying after `now`."""
        last = max((int(times.max()) for times in (self._ts, self._label_times) if len(times)), default=now)
        return (now - last) // WEEK * WEEK

    def stretches(self, size: int = 2_500, *, shift: int = 0, span: int | None = None) -> Iterator[Stretch]:
        """The whole file in time order, `size` predictions at a time, fewer if they take more than `span` microseconds. All times move by `shift`."""
        done = 0
        for table, ts in self._predictions(size):
            cuts = [0, *(np.flatnonzero(np.diff(ts // span)) + 1).tolist(), len(ts)] if span else [0, len(ts)]
            for low, high in itertools.pairwise(cuts):
                until = int(np.searchsorted(self._label_times, ts[high - 1], side="right"))
                yield self._stretch(table[low:high], ts[low:high], shift, done, until, size)
                done = until
        if done < len(self._label_times):
            yield self._stretch(None, self._label_times[done:], shift, done, len(self._label_times), size)

    def _stretch(self, table: pa.Table | None, ts: Ints, shift: int, low: int, high: int, size: int) -> Stretch:
        labels = tuple(self._label_lines(at, min(at + size, high), shift) for at in range(low, high, size))
        predictions, rows = (b"", 0) if table is None else (self._prediction_lines(table, ts, shift), len(ts))
        return Stretch(int(ts[0]) + shift, int(ts[-1]) + shift, predictions, labels, rows + high - low)

    def _predictions(self, size: int) -> Iterator[tuple[pa.Table, Ints]]:
        """The prediction columns in time order, at most `size` rows at a time, with their times."""
        if self._sorted:
            at = 0
            for table in self._file.batches(size, sorted(self._uses)):
                yield self._read(table, at), self._ts[at : at + len(table)]
                at += len(table)
            return
        order = np.argsort(self._ts, kind="stable")
        order = order[self._kept[order]]
        table = self._read(self._file.read(sorted(self._uses)), 0)
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            yield table.take(rows), self._ts[rows]

    def _read(self, table: pa.Table, at: int) -> pa.Table:
        """The columns of a table whose first row is row `at` of the file, as they are sent, with ids."""
        return arrow.read_table(table, self._uses).append_column(_ID, self._ids[at : at + len(table)])

    def _classes(self) -> dict[str, str]:
        """The file's columns of probabilities and their classes."""
        columns = {column.name for column in self._contract.columns}
        names = [name for name in self._file.schema.names if name not in columns]
        found = Classes.of(self._contract).columns(names, self._contract.roles.proba_prefix)
        return {name: text.unquote(one) for one, name in found.items()}

    def _prediction_lines(self, table: pa.Table, ts: Ints, shift: int) -> bytes:
        roles, model, version = self._contract.roles, self._contract.model, self._version
        columns = _Columns(table)
        features = columns.rows([column.name for column in self._contract.features])
        events: list[dict[str, Any]] = [
            {"prediction_id": id_, "model": model, "version": version, "ts": at, "features": values, "prediction": prediction}
            for id_, at, values, prediction in zip(
                table[_ID].to_pylist(), _written(ts, shift), features, columns.values(roles.prediction), strict=True
            )
        ]
        for event, tags in zip(events, columns.rows([column.name for column in self._contract.tags]), strict=True):
            if tags:
                event["tags"] = tags
        if self._contract.task == Task.BINARY and roles.score in self._uses:
            for event, score in zip(events, columns.values(roles.score), strict=True):
                if score is not None:
                    event["score"] = score
        if self._probabilities:
            for event, given in zip(events, columns.rows(list(self._probabilities), list(self._probabilities.values())), strict=True):
                if scored := {one: value for one, value in given.items() if value is not None}:
                    event["probabilities"] = scored
        if roles.interval is not None and {*roles.interval[:2]} <= self._uses.keys():
            low, high, level = roles.interval
            for event, lower, upper in zip(events, columns.values(low), columns.values(high), strict=True):
                if lower is not None and upper is not None:
                    event["interval"] = {"lower": lower, "upper": upper, "level": level}
        for name, values in self._fields(columns, table.column_names).items():
            for event, value in zip(events, values, strict=True):
                if value is not None:
                    event[name] = value
        return _lines(events, infinite=columns.infinite)

    def _fields(self, columns: _Columns, names: Sequence[str]) -> dict[str, Sequence[Any]]:
        """The optional fields of the rows, by name; None where a row has none."""
        roles = self._contract.roles
        named = {"latency_ms": roles.latency, "status": roles.status, "caller": roles.caller, "prediction_set": roles.prediction_set}
        found: dict[str, Sequence[Any]] = {field: columns.values(name) for field, name in named.items() if name in names and name}
        if "caller" in found:
            found["caller"] = [None if value is None else text.unquote(text.of(value)) for value in found["caller"]]
        if members := ensemble(names, self._contract):
            rows = zip(*(columns.values(name) for name in members), strict=True)
            found["ensemble"] = [[value for value in row if value is not None] or None for row in rows]
        if given := attributions(names, self._contract):
            found["attributions"] = columns.rows(list(given), list(given.values()))
        return found

    def _read_labels(self, label_ts: str) -> tuple[Ints, pa.Table]:
        """The labels' times, ascending, and the labels: those that have a value and a time."""
        roles = self._contract.roles
        if roles.label not in self._names:
            return np.zeros(0, np.int64), pa.table({})
        times = _microseconds(self._column(label_ts, Use.TIME)) if label_ts in self._names else self._ts
        label = self._column(roles.label, Use.NUMBER if self._contract.task == Task.REGRESSION else Use.CATEGORY)
        present = np.flatnonzero(self._kept & (times != _NONE) & np.asarray(pc.is_valid(label)))
        order = present[np.argsort(times[present], kind="stable")]
        table = pa.table({"id": self._ids, "label": label, "prediction_ts": pa.array(self._ts)})
        return times[order], table.take(order)

    def _label_lines(self, low: int, high: int, shift: int) -> bytes:
        table, model = self._labels[low:high], self._contract.model
        columns = _Columns(table)
        given = table["prediction_ts"].to_numpy()
        events = [
            {"prediction_id": id_, "model": model, "label": label, "ts": at, **({} if about is None else {"prediction_ts": about})}
            for id_, label, at, about in zip(
                table["id"].to_pylist(),
                columns.values("label"),
                _written(self._label_times[low:high], shift),
                _written(given, shift),
                strict=True,
            )
        ]
        return _lines(events, infinite=columns.infinite)

    def _column(self, name: str, use: Use) -> pa.ChunkedArray:
        return arrow.read(name, self._file.read([name])[name], use)


class _Columns:
    """The columns of a table as lists of JSON values. `infinite` says whether an infinity was among them."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.infinite = False

    def values(self, name: str) -> list[Any]:
        """One column."""
        column = self._table[name]
        if pa.types.is_floating(column.type) and pc.any(pc.is_inf(column)).as_py():
            self.infinite = True
        if column.null_count == 0 and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            values: list[Any] = column.to_numpy().tolist()
            return values
        return list(column.to_pylist())

    def rows(self, names: Sequence[str], keys: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """One object a row, of those columns that are there; `keys` are their names in it."""
        there = [(key, name) for key, name in zip(keys or names, names, strict=True) if name in self._table.column_names]
        given = tuple(key for key, _ in there)
        if not there:
            return [{} for _ in range(len(self._table))]
        return [dict(zip(given, row, strict=True)) for row in zip(*(self.values(name) for _, name in there), strict=True)]


def _microseconds(column: pa.ChunkedArray) -> Ints:
    """Times as microseconds, `_NONE` for null."""
    times: Ints = pc.fill_null(column.cast(pa.int64()), _NONE).to_numpy()
    return times


def _written(times: Ints, shift: int) -> list[int | str | None]:
    """Times as JSON: whole milliseconds as numbers, else RFC 3339."""
    moved = times + shift
    if (moved % 1_000 == 0).all() and (times != _NONE).all():
        milliseconds: list[int | str | None] = (moved // 1_000).tolist()
        return milliseconds
    return [None if time == _NONE else moment.text(at) for time, at in zip(times.tolist(), moved.tolist(), strict=True)]


def _lines(events: list[dict[str, Any]], *, infinite: bool) -> bytes:
    """Events as NDJSON. Infinity, which JSON does not have, is written as Python's `json` does; the server counts it as invalid."""
    if infinite:
        return b"\n".join(json.dumps(event, default=str).encode() for event in events)
    return _encoder.encode_lines(events)
