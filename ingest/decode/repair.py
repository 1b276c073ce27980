"""Reads a row that the typed struct refuses: keeps the values that can be kept, and reports the others. It is slow.

A cell that cannot be kept becomes `core.extra.WRONG`, which is invalid in every column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core import text
from core.contract import Kind, Task
from core.error import InvalidRecord
from core.extra import EXTRAS, WRONG, Finite, Scalar
from ingest.decode.fault import HALF, Fault, encodes, fault, kind_of, why_no_string
from ingest.decode.layout import EventLayout, types_of

_NUMBERS = (Finite, EXTRAS["latency_ms"])


class Repair:
    """Turns one parsed event of a model into its struct."""

    def __init__(self, layout: EventLayout) -> None:
        self._layout = layout
        self._types = types_of(layout)
        self._index = {name: index for index, (name, _) in enumerate(layout.columns)}
        self._classes, self._known = {name: index for index, name in enumerate(layout.classes)}, layout.known()
        self._spelled = self._types.spelled

    def __call__(self, row: int, value: dict[str, Any], cells: list[Fault]) -> tuple[Any, tuple[str, ...]]:
        """The event's struct, and the columns that the layout does not know; bad cells are added to `cells`.

        InvalidRecord if a required field is wrong.
        """
        self._frame(row, value)
        event = {"prediction_id": value["prediction_id"], "model": value["model"], "ts": value["ts"]}
        event["prediction"] = self._prediction(row, value["prediction"])
        event["tags"] = self._tags(row, value.get("tags"), cells)
        event["features"], unmet = self._features(row, value["features"], cells)
        for name in ("version", "role"):
            event[name] = _optional(row, name, value.get(name), str | int | float if name == "version" else str, cells)
        if self._layout.task == Task.BINARY:
            event["score"] = _number(row, "score", value.get("score"), cells)
        if self._types.probabilities:
            event["probabilities"] = self._probabilities(row, value.get("probabilities"), cells)
        for name, kind in EXTRAS.items():
            if name == "attributions":
                event[name] = self._attributions(row, value.get(name), cells)
            elif name != "tags":
                event[name] = _optional(row, name, value.get(name), kind, cells, WRONG)
        return self._types.event(**event), unmet

    def _frame(self, row: int, value: dict[str, Any]) -> None:
        checks: tuple[tuple[str, Any, str], ...] = (
            ("prediction_id", str, "a string"),
            ("ts", str | int | float, "RFC 3339 text or milliseconds since the epoch"),
            ("features", dict, "an object"),
            ("prediction", object, "a class or a number"),
        )
        for name, kind, expected in checks:
            found = value.get(name)
            if name not in value:
                raise InvalidRecord(row, name, f"is missing; {expected} is expected")
            if found is None or not isinstance(found, kind) or (name == "ts" and isinstance(found, bool)):
                raise InvalidRecord(row, name, why_no_string(found) if kind is str else f"{kind_of(found)} where {expected} is expected")

    def _prediction(self, row: int, value: object) -> object:
        if self._layout.task == Task.REGRESSION:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidRecord(row, "prediction", f"{kind_of(value)} where a number is expected")
            return _float(value)
        if not isinstance(value, str | int | float):
            raise InvalidRecord(row, "prediction", f"{kind_of(value)} where a class is expected")
        return value

    def _features(self, row: int, values: dict[str, Any], cells: list[Fault]) -> tuple[Any, tuple[str, ...]]:
        features, unmet = self._types.features(), []
        for name, value in values.items():
            if (index := self._index.get(name)) is not None:
                setattr(features, f"c{index}", _READ[self._layout.columns[index][1]](row, name, value, cells))
            elif name in self._layout.unknown:
                setattr(features, f"u{self._layout.unknown.index(name)}", value)
            else:
                unmet.append(name)
        return features, tuple(unmet)

    def _tags(self, row: int, values: object, cells: list[Fault]) -> dict[str, Any] | None:
        """The tags. A bad cell of a column of the contract is kept as invalid; any other bad tag is left out."""
        if values is not None and not isinstance(values, dict):
            cells.append(fault(row, "tags", f"{kind_of(values)} where an object is expected"))
            return None
        tags: dict[str, Any] = {}
        for name, value in (values or {}).items():
            if name in self._index:
                tags[name] = _scalar(row, name, value, cells)
            elif (kept := _optional(row, f"tags.{name}", value, Scalar, cells)) is not None:
                tags[name] = kept
        return tags or None

    def _attributions(self, row: int, values: object, cells: list[Fault]) -> Any:
        if not isinstance(values, dict):
            return _optional(row, "attributions", values, dict, cells, WRONG)
        return {name: _optional(row, f"attributions.{name}", value, Finite, cells, WRONG) for name, value in values.items()}

    def _probabilities(self, row: int, values: object, cells: list[Fault]) -> Any:
        if values is None:
            return None
        if not isinstance(values, dict):
            cells.append(fault(row, "probabilities", f"{kind_of(values)} where an object is expected"))
            return None
        probabilities = self._types.probabilities()
        rest: dict[int, dict[str, float | None]] = {}
        for name, value in values.items():
            meant = self._known.find(text.of(name)) if encodes(name) else None
            if meant is None:
                cells.append(fault(row, f"probabilities.{name}", "the contract has no such class"))
                continue
            index, number = self._classes[meant], _number(row, f"probabilities.{name}", value, cells)
            field = f"p{index}" if name == text.unquote(meant) else self._spelled.get(name)
            if field is None:
                rest.setdefault(index, {})[name] = number
            else:
                setattr(probabilities, field, number)
        for index, others in rest.items():
            if getattr(probabilities, f"p{index}") is None:
                sent = [others[name] for name in sorted(others) if others[name] is not None]
                setattr(probabilities, f"p{index}", sent[0] if sent else None)
        return probabilities


def _number(row: int, field: str, value: object, cells: list[Fault]) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        cells.append(fault(row, field, f"{kind_of(value)} where a number is expected"))
        return WRONG
    return _float(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return WRONG


def _scalar(row: int, field: str, value: object, cells: list[Fault]) -> object:
    if isinstance(value, dict | list):
        cells.append(fault(row, field, f"{kind_of(value)} where a string, number or boolean is expected"))
        return WRONG
    return value


def _string(row: int, field: str, value: object, cells: list[Fault]) -> object:
    if value is None or isinstance(value, str):
        return value
    cells.append(fault(row, field, f"{kind_of(value)} where a text is expected"))
    return WRONG


def _vector(row: int, field: str, value: object, cells: list[Fault]) -> object:
    if value is None:
        return None
    if not isinstance(value, list):
        cells.append(fault(row, field, f"{kind_of(value)} where a vector (an array of numbers) is expected"))
        return WRONG
    if wrong := [one for one in value if isinstance(one, bool) or not isinstance(one, int | float)]:
        cells.append(fault(row, field, f"{kind_of(wrong[0])} in a vector, where a number is expected"))
        return WRONG
    return [_float(one) for one in value]


_READ: dict[Kind, Callable[[int, str, Any, list[Fault]], Any]] = {
    Kind.NUMERIC: _number,
    Kind.CATEGORICAL: _scalar,
    Kind.TEXT: _string,
    Kind.VECTOR: _vector,
}


def _optional(row: int, field: str, value: object, kind: Any, cells: list[Fault], wrong: Any = None) -> Any:
    """The value converted to `kind`; `wrong` if it cannot be."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeError, OverflowError) as error:
        number = f"{kind_of(value)} where a number is expected"
        cells.append(fault(row, field, HALF if isinstance(error, UnicodeError) else number if kind in _NUMBERS else str(error)))
        return wrong
