"""Turns rows into structs, a slice at a time: all at once if the rows are alike, else one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from core.error import InvalidRecord
from core.name import Named
from core.name import fault as fault_of_name
from ingest.decode.column import ids
from ingest.decode.decoded import Unclaimed
from ingest.decode.fault import Fault, encodes, fault, kind_of, why_no_string
from ingest.decode.payload import Broken, Parsed, PayloadError, Row, parse, written

SLICE = 1_000  # rows; their structs stay in the processor's cache

_REFUSED = (msgspec.DecodeError, UnicodeError, OverflowError, RecursionError)


class EventForm(Protocol):
    """How events of one model are read."""

    model: str
    typed: bool  # whether `decode` and `convert` may be used

    def decode(self, text: Any, /) -> Any:
        """The struct of an event's JSON; msgspec's errors if it has another shape."""
        ...

    def convert(self, value: object, /) -> Any:
        """The struct of an event that was parsed; msgspec's errors if it has another shape."""
        ...

    def repair(self, row: int, value: dict[str, Any], cells: list[Fault], /) -> tuple[Any, tuple[str, ...]]:
        """The struct of any event, and its unknown columns; InvalidRecord if a required field is wrong."""
        ...

    def learn(self, names: tuple[str, ...], /) -> EventForm:
        """A form that also has these unknown columns."""
        ...


class _UnknownModel(InvalidRecord):
    """An event of a model that has no contract; `id` is its own."""

    def __init__(self, row: int, model: str, id: str, why: str) -> None:  # noqa: A002 - the field's name
        super().__init__(row, "model", why, model)
        self.id = id


class _Head(msgspec.Struct, gc=False):
    model: str


_head = msgspec.json.Decoder(_Head).decode


class ModelRows:
    """Events of one model: their rows, their structs, and the form that read the last of them."""

    def __init__(self, form: EventForm, rows: Sequence[int] = (), events: Sequence[Any] = ()) -> None:
        self.form = form
        self.rows = list(rows)
        self.events = list(events)


class SliceReader:
    """Reads slices. `form_of` gives a model's form, None for a model that is not known; with `keep` events of such models are not rejected.

    After each slice `rejects`, `cells`, `unmet` (unknown columns of rows that went through `repair`) and `waiting` (events that are kept) hold what was found in it.
    """

    def __init__(self, form_of: Callable[[str], EventForm | None], *, keep: bool = False) -> None:
        self._form_of, self._keep = form_of, keep
        self._forms: dict[str, EventForm | None] = {}
        self._last: EventForm | None = None
        self.rejects: list[Fault] = []
        self.cells: list[Fault] = []
        self.unmet: dict[int, tuple[str, ...]] = {}
        self.waiting: list[Unclaimed] = []

    def read(self, first: int, rows: Sequence[Row]) -> list[ModelRows]:
        """The events of a slice whose first row is number `first`."""
        self.rejects, self.cells, self.unmet, self.waiting = [], [], {}, []
        self._last = self._last or self._expected(rows[0])
        if self._last is not None and (events := _alike(self._last, rows)) is not None:
            return [ModelRows(self._last, range(first, first + len(rows)), events)]
        groups: dict[str, ModelRows] = {}
        for row, item in enumerate(rows, first):
            try:
                form, event = self._one(row, item)
            except _UnknownModel as error:
                self.waiting.append(Unclaimed(row, error.model, error.id, written(item).strip()))
                continue
            except InvalidRecord as error:
                self.rejects.append(fault(error.row, error.field, error.reason, error.model))
                continue
            group = groups.setdefault(form.model, ModelRows(form))
            group.form = self._last = form
            group.rows.append(row)
            group.events.append(event)
        return list(groups.values())

    def _expected(self, item: Row) -> EventForm | None:
        """The form of a row's model, if that is known without reading the row."""
        if isinstance(item, Broken | Parsed):
            return None
        try:
            return self._form(_head(item).model)
        except _REFUSED:
            return None

    def _one(self, row: int, item: Row) -> tuple[EventForm, Any]:
        if isinstance(item, Broken):
            raise InvalidRecord(row, "", item.reason)
        if isinstance(item, Parsed):
            value = item.value
        else:
            try:
                form = self._form(_head(item).model)
                if form is not None and form.typed:
                    return form, form.decode(item)
            except _REFUSED:
                pass
            try:
                value = parse(item)
            except PayloadError as error:
                raise InvalidRecord(row, "", str(error)) from None
        return self._parsed(row, value, typed=isinstance(item, Parsed) and item.typed)

    def _parsed(self, row: int, value: object, *, typed: bool) -> tuple[EventForm, Any]:
        if not isinstance(value, dict):
            raise InvalidRecord(row, "", f"{kind_of(value)} where an event (an object) is expected")
        model = value.get("model")
        if not isinstance(model, str):
            raise InvalidRecord(row, "model", f"{kind_of(model)} where a model's name is expected" if "model" in value else "is missing")
        form = self._form(model)
        if form is None:
            raise self._unknown(row, model, value.get("prediction_id"))
        if typed and form.typed:
            try:
                return form, form.convert(value)
            except _REFUSED:
                pass
        try:
            event, unmet = form.repair(row, value, self.cells)
        except InvalidRecord as error:
            raise InvalidRecord(error.row, error.field, error.reason, model) from None
        if unmet:
            self.unmet[row] = unmet
            self._forms[model] = form.learn(unmet)
        return form, event

    def _unknown(self, row: int, model: str, key: object) -> InvalidRecord:
        """The fault of an event of a model without a contract: it is to be kept if model and id are right, for these a contract would judge alike."""
        why = f"there is no model {model[:100]!r}; add it with `watchkeeper reference`"
        if not self._keep or fault_of_name(Named.MODEL, model):
            return InvalidRecord(row, "model", why)
        if not isinstance(key, str):
            return InvalidRecord(row, "prediction_id", "is missing" if key is None else why_no_string(key), model)
        wrong = ids([key]).get(0)
        return InvalidRecord(row, "prediction_id", wrong, model) if wrong else _UnknownModel(row, model, key, why)

    def _form(self, model: str) -> EventForm | None:
        if model not in self._forms:
            self._forms[model] = self._form_of(model) if encodes(model) and "\0" not in model else None  # a name that no store can hold
        return self._forms[model]


def _alike(form: EventForm, rows: Sequence[Row]) -> list[Any] | None:
    """The structs of the rows if all of them are of the form's model and shape; else None."""
    kinds = set(map(type, rows))
    if not form.typed or len(kinds) != 1:
        return None
    try:
        if kinds == {Parsed}:
            events = [form.convert(row.value) for row in rows if isinstance(row, Parsed) and row.typed]
        else:
            events = list(map(form.decode, rows))
    except (*_REFUSED, TypeError):  # TypeError: a row that is Broken
        return None
    return events if len(events) == len(rows) and {event.model for event in events} == {form.model} else None
