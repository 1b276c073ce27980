"""Prediction events: from the bytes of a request to a block for each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core import text
from core.block import Categories, Floats, Ints, Predictions, Vectors
from core.contract import Contract, Task
from core.contract import Kind as ColumnKind
from core.extra import EXTRAS, WRONG, Kept
from core.name import Named
from detectors.summary.signal import derived, needed
from ingest.decode import column
from ingest.decode.column import Bad
from ingest.decode.decoded import Contracts, Decoded
from ingest.decode.fault import HALF, encodes, plain
from ingest.decode.layout import EventLayout, types_of
from ingest.decode.payload import Kind, Row, cut
from ingest.decode.reader import ModelRows
from ingest.decode.repair import Repair
from ingest.decode.report import DecodeReport, decode, of

MOST_UNKNOWN = 64  # unknown columns that a struct learns; more are counted by `repair`, which is slower

_extras = attrgetter(*EXTRAS)


class PredictionForm:
    """How prediction events under one contract are read."""

    def __init__(self, contract: Contract, layout: EventLayout | None = None) -> None:
        self.model = contract.model
        self.contract = contract
        self.layout = layout or EventLayout.of(contract)
        self._types = types_of(self.layout)
        self.typed = self._types.typed
        self.fields_of = self._types.fields_of
        self.decode = self._types.decode
        self.repair = Repair(self.layout)

    def convert(self, value: object) -> Any:
        """The struct of an event that was parsed; msgspec's errors if it has another shape."""
        return msgspec.convert(value, self._types.event)

    def learn(self, names: tuple[str, ...]) -> PredictionForm:
        """A form that also has these unknown columns; this form if it has enough of them."""
        layout = self.layout.knowing(names)
        if layout == self.layout or len(layout.unknown) > MOST_UNKNOWN:
            return self
        return PredictionForm(self.contract, layout)


def decode_predictions(
    body: bytes, kind: Kind, contracts: Contracts, now: int, *, position: int = 0, logged: int | None = None, keep: bool = False
) -> Decoded[tuple[Contract, Predictions]]:
    """The predictions of an unpacked request, in blocks by model; the same for the same arguments.

    `contracts` gives a model's contract or None; times after `now` + 1 day are refused. `position` and `logged` (`now` unless
    given) are those of the request in the log. With `keep` events of models without a contract are in `waiting`, and not rejected. PayloadError if the body cannot be read at all.
    """
    return read_predictions(cut(body, kind), contracts, now, position=position, logged=logged, keep=keep)


def read_predictions(
    rows: Sequence[Row], contracts: Contracts, now: int | Ints, *, position: int = 0, logged: int | None = None, keep: bool = False
) -> Decoded[tuple[Contract, Predictions]]:
    """As `decode_predictions`, for rows that were cut already; `now` is one time for all rows, or an array by row."""

    def form_of(model: str) -> PredictionForm | None:
        contract = contracts(model)
        return None if contract is None else PredictionForm(contract)

    def block(report: DecodeReport, group: ModelRows) -> tuple[Contract, Predictions]:
        return group.form.contract, _block(report, group, now, position, now if logged is None else logged)  # type: ignore[attr-defined]

    def join(parts: list[tuple[Contract, Predictions]]) -> tuple[Contract, Predictions]:
        return parts[0][0], Predictions.concat([part for _, part in parts])

    return decode(rows, form_of, block, join, keep=keep)


class _Made(NamedTuple):
    """What is made of texts and vectors: statistics by name, and the vectors of each vector column."""

    statistics: dict[str, Floats]
    vectors: list[Vectors]


# long: a line for each field of the block
def _block(report: DecodeReport, group: ModelRows, now: int | Ints, position: int, logged: int | Ints) -> Predictions:
    """The block of a group's rows whose required fields are right; faults and unknown columns go to the report."""
    form: PredictionForm = group.form  # type: ignore[assignment]
    contract, binary = form.contract, form.contract.task == Task.BINARY
    outputs = list(map(attrgetter("prediction"), group.events))
    prediction: Categories | Floats
    prediction, wrong = column.numbers(outputs) if contract.task == Task.REGRESSION else column.texts(outputs, binary=binary)
    ts, late = column.times(list(map(attrgetter("ts"), group.events)), contract.earliest, of(now, group.rows))
    ids = list(map(attrgetter("prediction_id"), group.events))
    kept = report.reject(group, {"prediction_id": column.ids(ids), "ts": late, "prediction": wrong})
    events, rows = group.events, group.rows
    if kept is not None:
        events, rows = [events[i] for i in kept], [rows[i] for i in kept]
        prediction = prediction.take(kept) if isinstance(prediction, Categories) else prediction[kept]
        ts, ids = ts[kept], [ids[i] for i in kept]
    if isinstance(prediction, Categories):
        report.classes(contract, rows, "prediction", prediction)
    features = list(map(attrgetter("features"), events))
    unknown = _unknown(report, form, rows, features)

    def checked(field: str, values: tuple[Any, Bad]) -> Any:
        report.cells_of(rows, field, values[1])
        return values[0]

    score, probabilities = _outputs(form, rows, events, checked)
    made = _Made({}, [])
    cells = [(known, checked(known.name, _values(form, i, features, events, made))) for i, known in enumerate(contract.columns)]
    block = Predictions(
        id=np.array(ids, object),
        ts=ts,
        version=checked("version", column.names(list(map(attrgetter("version"), events)), Named.VERSION, "1")),
        role=checked("role", column.names(list(map(attrgetter("role"), events)), Named.ROLE, "champion")),
        prediction=prediction,
        score=score,
        probabilities=probabilities,
        numbers=tuple(values for known, values in cells if known.numeric),
        texts=tuple(values for known, values in cells if not known.numeric),
        extra=_extra(report, form, rows, events, unknown),
        position=np.full(len(events), position, np.int64),
        row=np.array(rows, np.int64),
        logged=np.full(len(events), of(logged, rows), np.int64),
        vectors=tuple(made.vectors),
    )
    return _with_signals(report, contract, rows, events, block, made.statistics) if contract.signals else block


def _with_signals(
    report: DecodeReport, contract: Contract, rows: list[int], events: list[Any], block: Predictions, made: Mapping[str, Floats]
) -> Predictions:
    """The block with the contract's signals, of which some are `made` already; values of their fields that cannot be used go to the report."""
    fields = needed(contract, events)
    for name, bad in fields.bad.items():
        report.cells_of(rows, name, bad)
    return derived(contract, block, replace(fields, numbers={**fields.numbers, **made}))


def _values(form: PredictionForm, index: int, features: list[Any], events: list[Any], made: _Made) -> tuple[Any, Bad]:
    """A column's values: those of a feature from `features`, those of a tag from `tags`, else from `features`. What is made of texts and vectors is added to `made`."""
    known = form.contract.columns[index]
    values = list(map(attrgetter(f"c{index}"), features))
    if known.kind == ColumnKind.TEXT:
        states, statistics, bad = column.written(known.name, values)
        made.statistics.update(statistics)
        return states, bad
    if known.kind == ColumnKind.VECTOR:
        states, vectors, statistics, bad = column.vectors(known, values)
        made.statistics.update(statistics)
        made.vectors.append(vectors)
        return states, bad
    if index >= len(form.contract.features):
        sent = [event.tags.get(known.name) if event.tags else None for event in events]
        values = [value if tag is None else tag for tag, value in zip(sent, values, strict=True)]
        return column.tags(values) if known.numeric else column.texts(values)
    return column.numbers(values) if known.numeric else column.texts(values)


def _outputs(
    form: PredictionForm, rows: list[int], events: list[Any], checked: Callable[[str, tuple[Any, Bad]], Any]
) -> tuple[Floats, Floats | None]:
    """Scores (n,), and of a multiclass model the probabilities (n, classes)."""
    task, classes = form.contract.task, form.contract.classes
    nothing = np.full(len(rows), np.nan)
    score = checked("score", column.scores(list(map(attrgetter("score"), events)))) if task == Task.BINARY else nothing
    if not classes or task == Task.REGRESSION:
        return score, None
    sent = [event.probabilities for event in events]
    if not any(sent):
        return score, None if task == Task.BINARY else np.full((len(rows), len(classes)), np.nan)
    by_class = [checked(f"probabilities.{text.unquote(name)}", column.scores(_sent_for(form, i, sent))) for i, name in enumerate(classes)]
    if task == Task.MULTICLASS:
        return score, np.column_stack(by_class)
    if form.contract.positive in classes:
        score = np.where(np.isnan(score), by_class[classes.index(form.contract.positive)], score)
    return score, None


def _sent_for(form: PredictionForm, index: int, sent: list[Any]) -> list[float | None]:
    """The values that were sent as the probability of a class, under its own text or else under another text that means it."""
    values = [None if p is None else getattr(p, f"p{index}") for p in sent]
    if None in values:
        for field in form.fields_of[index]:
            values = [getattr(p, field) if value is None and p is not None else value for value, p in zip(values, sent, strict=True)]
    return values


def _extra(report: DecodeReport, form: PredictionForm, rows: list[int], events: list[Any], unknown: Mapping[int, list[str]]) -> Any:
    """The JSON text of the optional fields that were sent, without the tags that are columns, and of the names of `unknown` columns by place; "" if there are none."""
    columns, faulty = {known.name for known in form.contract.tags}, report.faulty
    extra = np.full(len(events), "", object)
    for i, event in enumerate(events):
        if (  # every field of `Extra`, one by one because it is asked for each row: one that is left out here is lost where it comes alone
            i not in unknown
            and event.interval is event.prediction_set is event.ensemble is event.attributions is event.request_id is None
            and (event.caller is event.latency_ms is event.status is event.tags is None)
        ):
            continue
        kept = Kept(*_extras(event))
        kept.unknown = unknown.get(i)
        if rows[i] in faulty:
            kept.mark()
        if kept.tags is not None:
            kept.tags = {name: value for name, value in kept.tags.items() if name not in columns} or None
        try:
            encoded = msgspec.json.encode(kept).decode()
        except UnicodeEncodeError:
            encoded = _encodable(report, rows[i], event, kept)
        extra[i] = "" if encoded == "{}" else encoded
    return extra


def _encodable(report: DecodeReport, row: int, event: Any, extra: Kept) -> str:
    """The JSON text without values that hold lone surrogates, which become invalid: one feature of attributions, else the whole field.

    They are removed from the event, too.
    """
    for name in EXTRAS:
        try:
            msgspec.json.encode(getattr(extra, name))
        except UnicodeEncodeError:
            report.cells_of([row], name, {0: HALF})
            for one in (event, extra):
                given = getattr(one, name)
                kept = {key: value for key, value in given.items() if encodes(key)} or None if name == "attributions" else WRONG
                setattr(one, name, kept)
    extra.mark()
    return msgspec.json.encode(extra).decode()


def _unknown(report: DecodeReport, form: PredictionForm, rows: list[int], features: list[Any]) -> dict[int, list[str]]:
    """The names of the columns that are not in the contract, by the places of the rows that have some: at most `MOST_UNKNOWN` a row. All are counted in the report."""
    found: dict[int, list[str]] = {}
    for i, name in enumerate(form.layout.unknown):
        for place, row in enumerate(features):
            if getattr(row, f"u{i}", msgspec.UNSET) is not msgspec.UNSET:
                found.setdefault(place, []).append(plain(name))
    for place, row in enumerate(rows if report.unmet else ()):
        if row in report.unmet:
            found.setdefault(place, []).extend(map(plain, report.unmet[row]))
    for names in found.values():
        for name in names:
            report.unknown[form.model, name] += 1
    return {place: sorted(names)[:MOST_UNKNOWN] for place, names in found.items()}
