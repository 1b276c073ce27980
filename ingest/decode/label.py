"""Label events: from the bytes of a request to a block for each model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from core.block import Categories, Floats, Ints, Labels
from core.contract import Contract, Task
from core.error import InvalidRecord
from ingest.decode import column
from ingest.decode.column import Bad
from ingest.decode.decoded import Contracts, Decoded
from ingest.decode.fault import Fault, fault, kind_of, why_no_string
from ingest.decode.payload import Kind, Row, cut
from ingest.decode.reader import ModelRows
from ingest.decode.report import DecodeReport, decode, of


class Label(msgspec.Struct, gc=False):
    """A label event as it is on the wire."""

    prediction_id: str
    model: str
    label: str | int | float | bool | None = None
    ts: str | int | float | None = None
    prediction_ts: str | int | float | None = None
    weight: float | None = None
    deleted: bool | None = None


_decode = msgspec.json.Decoder(Label).decode


class LabelForm:
    """How label events of one model are read."""

    typed = True

    def __init__(self, contract: Contract) -> None:
        self.model = contract.model
        self.contract = contract
        self.decode: Callable[[Any], Any] = _decode

    def convert(self, value: object) -> Any:
        """The struct of an event that was parsed; msgspec's errors if it has another shape."""
        return msgspec.convert(value, Label)

    def learn(self, _: tuple[str, ...]) -> LabelForm:
        """This form: labels have no columns to learn."""
        return self

    def repair(self, row: int, value: dict[str, Any], cells: list[Fault]) -> tuple[Label, tuple[str, ...]]:
        """The label's struct; InvalidRecord if a required field is wrong."""
        checks: tuple[tuple[str, Any, str], ...] = (
            ("prediction_id", str, "a string"),
            ("ts", str | int | float | None, "RFC 3339 text or milliseconds since the epoch"),
            ("deleted", bool | None, "true or false"),
            ("label", str | int | float | None, "a class or a number"),
        )
        for name, kind, expected in checks:
            found = value.get(name)
            if name == "prediction_id" and name not in value:
                raise InvalidRecord(row, name, "is missing; a string is expected")
            if not isinstance(found, kind) or (name == "ts" and isinstance(found, bool)):
                raise InvalidRecord(row, name, why_no_string(found) if kind is str else f"{kind_of(found)} where {expected} is expected")
        weight, predicted = value.get("weight"), value.get("prediction_ts")
        if isinstance(weight, bool | str | dict | list):
            cells.append(fault(row, "weight", f"{kind_of(weight)} where a number is expected"))
            weight = None
        if isinstance(predicted, bool | dict | list):
            cells.append(fault(row, "prediction_ts", f"{kind_of(predicted)} where a time is expected"))
            predicted = None
        if isinstance(weight, int):
            weight = float(weight) if abs(weight) < 10**308 else math.inf
        return Label(
            value["prediction_id"], value["model"], value.get("label"), value.get("ts"), predicted, weight, value.get("deleted")
        ), ()


def decode_labels(
    body: bytes, kind: Kind, contracts: Contracts, now: int, *, position: int = 0, logged: int | None = None, keep: bool = False
) -> Decoded[Labels]:
    """The labels of an unpacked request, in blocks by model; the same for the same arguments.

    A label without `ts` takes `logged`, which is `now` unless given. The other arguments are those of `decode_predictions`.
    PayloadError if the body cannot be read at all.
    """
    return read_labels(cut(body, kind), contracts, now, position=position, logged=logged, keep=keep)


def read_labels(
    rows: Sequence[Row], contracts: Contracts, now: int | Ints, *, position: int = 0, logged: int | None = None, keep: bool = False
) -> Decoded[Labels]:
    """As `decode_labels`, for rows that were cut already; `now` is one time for all rows, or an array by row."""

    def form_of(model: str) -> LabelForm | None:
        contract = contracts(model)
        return None if contract is None else LabelForm(contract)

    def block(report: DecodeReport, group: ModelRows) -> Labels:
        return _block(report, group, now, position, now if logged is None else logged)

    return decode(rows, form_of, block, Labels.concat, keep=keep)


def _block(report: DecodeReport, group: ModelRows, now: int | Ints, position: int, logged: int | Ints) -> Labels:
    """The block of a group's rows whose required fields are right; faults go to the report."""
    form: LabelForm = group.form  # type: ignore[assignment]
    contract = form.contract
    labels: list[Label] = group.events
    sent = [label.ts for label in labels]
    dated = [i for i, ts in enumerate(sent) if ts is not None]
    ts = np.full(len(labels), of(logged, group.rows), np.int64)
    ts[dated], late = column.times([sent[i] for i in dated], contract.earliest, of(now, [group.rows[i] for i in dated]))
    values = [None if label.deleted else label.label for label in labels]
    texts, numbers, wrong = _truth(values, contract)
    wrong = {i: reason for i, reason in wrong.items() if not labels[i].deleted}
    ids = [label.prediction_id for label in labels]
    kept = report.reject(group, {"prediction_id": column.ids(ids), "ts": {dated[i]: why for i, why in late.items()}, "label": wrong})
    rows = group.rows
    if kept is not None:
        labels, rows, ids = [labels[i] for i in kept], [rows[i] for i in kept], [ids[i] for i in kept]
        ts, texts, numbers = ts[kept], texts.take(kept), numbers[kept]
    if contract.task != Task.REGRESSION:
        report.classes(contract, rows, "label", texts)
    weight, bad = column.scores([label.weight for label in labels])
    bad |= dict.fromkeys(np.flatnonzero(weight < 0).tolist(), "a weight must not be negative")
    report.cells_of(rows, "weight", bad)
    weight[[*bad]] = np.nan
    return Labels(
        id=np.array(ids, object),
        ts=ts,
        text=np.array(texts.texts, object)[texts.codes] if len(texts) else np.zeros(0, object),
        number=numbers,
        weight=np.nan_to_num(weight, nan=1.0),
        deleted=np.array([bool(label.deleted) for label in labels], np.bool_),
        prediction_ts=_prediction_ts(report, rows, labels, contract, now),
        position=np.full(len(labels), position, np.int64),
        row=np.array(rows, np.int64),
        logged=np.full(len(labels), of(logged, rows), np.int64),
    )


def _truth(values: list[Any], contract: Contract) -> tuple[Categories, Floats, Bad]:
    """Texts and numbers of labels; which values are no labels (null is none), and why."""
    wrong = {i: "is null; send a value, or `deleted: true` to retract" for i, value in enumerate(values) if value is None}
    numeric = [value if isinstance(value, int | float) and not isinstance(value, bool) else None for value in values]
    numbers, endless = column.numbers([_float(value) for value in numeric])
    numbers[[*endless]] = np.nan
    texts, bad = column.texts(values, binary=contract.task == Task.BINARY)
    if contract.task == Task.REGRESSION:
        bad = endless | {i: f"{kind_of(values[i])} where a number is expected" for i, value in enumerate(numeric) if value is None}
    return texts, numbers, bad | wrong


def _prediction_ts(report: DecodeReport, rows: list[int], labels: list[Label], contract: Contract, now: int | Ints) -> Any:
    sent = [i for i, label in enumerate(labels) if label.prediction_ts is not None]
    known = np.zeros(len(labels), np.int64)
    known[sent], bad = column.times([labels[i].prediction_ts for i in sent], contract.earliest, of(now, [rows[i] for i in sent]))
    report.cells_of(rows, "prediction_ts", {sent[i]: why for i, why in bad.items()})
    return known


def _float(value: float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return math.inf
