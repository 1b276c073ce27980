"""The struct of a model's events, made from its contract, so that msgspec reads them typed.

The columns of the contract are the fields c0, c1, ... of `features`, in its order. Columns that are not in the contract and were sent before are u0, u1, ...
The classes are the fields p0, p1, ... of `probabilities`, and other texts that are often written for them s0, s1, ...
The typed reader refuses an event with anything else, and `repair` then reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from core import text
from core.classes import Classes
from core.contract import Contract, Kind, Task
from core.extra import EXTRAS, Extra
from core.struct_types import decoder

VALUES: dict[Kind, Any] = {Kind.NUMERIC: float, Kind.CATEGORICAL: str | int | float | bool, Kind.TEXT: str, Kind.VECTOR: list[float]}
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')  # names that msgspec does not accept for fields


class EventLayout(NamedTuple):
    """What a model's struct is made from.

    `columns` are (name, kind) of features and tags; `classes` are texts; `unknown` are names that are not in the contract.
    """

    task: Task
    columns: tuple[tuple[str, Kind], ...]
    classes: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @staticmethod
    def of(contract: Contract) -> EventLayout:
        """The layout of a contract."""
        return EventLayout(contract.task, tuple((column.name, column.kind) for column in contract.columns), contract.classes)

    def known(self) -> Classes:
        """The classes."""
        return Classes(self.classes, binary=self.task == Task.BINARY)

    def knowing(self, names: tuple[str, ...]) -> EventLayout:
        """The same layout with more unknown columns, which are counted and left out."""
        return self._replace(unknown=self.unknown + tuple(name for name in names if not _UNNAMEABLE.search(name)))


class Types(NamedTuple):
    """The structs of a layout. `typed` is False if a column's name cannot be the name of a field; then every row goes through `repair`.

    `decode` makes an event of its JSON. `spelled` has the fields of `probabilities` that stand for other texts of the classes, by text; `fields_of` those of each class.
    """

    event: Any
    decode: Callable[[Any], Any]
    features: Any
    probabilities: Any
    typed: bool
    spelled: dict[str, str]
    fields_of: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=256)
def types_of(layout: EventLayout) -> Types:
    """The structs of a layout, made once."""
    columns = [_field(f"c{i}", name, VALUES[kind] | None) for i, (name, kind) in enumerate(layout.columns)]
    unknown = [_field(f"u{i}", name, Any, msgspec.UNSET) for i, name in enumerate(layout.unknown)]
    features = _struct("Features", columns + unknown)
    classes = [_field(f"p{i}", text.unquote(name), float | None) for i, name in enumerate(layout.classes)]
    known = layout.known()
    written = [(index, wire) for index, name in enumerate(layout.classes) for wire in known.spellings(name)]
    classes += [_field(f"s{i}", wire, float | None) for i, (_, wire) in enumerate(written)]
    spelled = {wire: f"s{i}" for i, (_, wire) in enumerate(written)}
    fields_of = tuple(tuple(spelled[wire] for of, wire in written if of == index) for index in range(len(layout.classes)))
    probabilities = _struct("Probabilities", classes) if layout.classes else None
    event = msgspec.defstruct(
        "Event",
        [
            ("prediction_id", str),
            ("model", str),
            ("ts", str | int | float),
            ("features", features),
            ("prediction", float if layout.task == Task.REGRESSION else str | int | float | bool),
            ("version", str | int | float | None, None),
            ("role", str | None, None),
            *([("score", float | None, None)] if layout.task == Task.BINARY else []),
            *([("probabilities", probabilities | None, None)] if probabilities else []),
            *((name, kind, None) for name, kind in EXTRAS.items()),
        ],
        gc=False,
    )
    names = [name for name, _ in layout.columns] + [text.unquote(name) for name in layout.classes]
    typed = not any(_UNNAMEABLE.search(name) for name in names)
    return Types(event, decoder(event).decode, features, probabilities, typed, spelled, fields_of)


def _field(name: str, wire: str, kind: Any, default: Any = None) -> tuple[str, Any, Any]:
    return (name, kind, msgspec.field(name=None if _UNNAMEABLE.search(wire) else wire, default=default))


def _struct(name: str, fields: list[tuple[str, Any, Any]]) -> Any:
    return msgspec.defstruct(name, fields, gc=False, forbid_unknown_fields=True)


class Prediction(Extra, kw_only=True, gc=False):
    """A prediction event as it is sent, whatever its model; the schema in the API's description is made from it."""

    prediction_id: str
    model: str
    ts: str | int | float
    features: dict[str, str | float | bool | list[float] | None]
    prediction: str | int | float | bool
    version: str | int | float | None = None
    role: str | None = None
    score: float | None = None
    probabilities: dict[str, float | None] | None = None
