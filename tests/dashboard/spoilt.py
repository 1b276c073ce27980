"""The reader in memory with hostile names: a model like a tag with a handler, a column with an end of a script, a grouping of emoji, a value of 300 characters, a monitor that is read from right to left."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from tests.dashboard.twin import Twin

MODEL, COLUMN, GROUPING = "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "🛫👩🏽‍✈️"
VALUE, MONITOR = "<u onclick=alert(3)>" + "U" * 300, "\u202eאבג<s>\u202c"
NAMES = {"departs-late": MODEL, "temp": COLUMN, "carrier": GROUPING, "UA": VALUE, "accuracy": MONITOR}
_GIVEN = {hostile: name for name, hostile in NAMES.items()}
_WORD = re.compile(rf"(?<![\w.-])(?:{'|'.join(NAMES)})(?![\w.-])")
_HOSTILE = re.compile("|".join(map(re.escape, _GIVEN)))


class Spoilt:
    """Asks a twin by the names that it has, and spoils what it answers."""

    def __init__(self) -> None:
        self._twin = Twin()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._twin, name)
        if not callable(found):
            return found
        return lambda *given: _changed(found(*(_changed(one, _own) for one in given)), _spoilt)


def _spoilt(text: str) -> str:
    return _WORD.sub(lambda found: NAMES[found[0]], text)


def _own(text: str) -> str:
    return _HOSTILE.sub(lambda found: _GIVEN[found[0]], text)


def _changed(value: Any, change: Callable[[str], str]) -> Any:  # long: a line for each kind of value
    """The value with all its texts changed."""
    if type(value) is str:
        return change(value)
    if isinstance(value, pa.Table):
        texts = {name: pa.array([_changed(one, change) for one in value[name].to_pylist()], pa.string()) for name in _texts(value)}
        return pa.table({name: texts.get(name, value[name]) for name in value.column_names})
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _changed(getattr(value, name), change) for name in value.__struct_fields__})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.init}
        return type(value)(**{name: _changed(one, change) for name, one in kept.items()})
    if isinstance(value, Mapping):
        return {_changed(key, change): _changed(one, change) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_changed(one, change) for one in value))
    if isinstance(value, tuple | list | set | frozenset):
        return type(value)(_changed(one, change) for one in value)
    return value


def _texts(table: pa.Table) -> list[str]:
    return [field.name for field in table.schema if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)]
