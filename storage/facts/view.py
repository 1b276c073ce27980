"""A SQL view for each model. It names the columns that raw events hold by position, for people who write queries."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from core.contract import Contract, Kind, Task
from storage.facts.engine import Engine

_LONGEST = 160  # bytes of a view's name in a file's name, which also holds the database's name and suffixes of ClickHouse
_OWN = ("prediction_id", "ts", "version", "role", "prediction", "score", "extra", "partition", "position", "place", "logged")


def show(engine: Engine, versions: Sequence[Contract]) -> str:
    """Make the view of a model, from all versions of its contract, the newest last. Returns its name.

    A number that is missing or invalid is NULL, and so is a missing text. A column that a version lacks is NULL in its events. A column
    with the name of one of the view's own columns gets the prefix `feature_`, again if that name is taken, too.
    """
    newest = versions[-1]
    places: dict[str, list[tuple[int, str]]] = {}
    for contract in versions:
        numbers = texts = vectors = 0
        for column in contract.kept:
            if column.numeric:
                numbers += 1
                value = f"if(isFinite(raw.numbers[{numbers}]), raw.numbers[{numbers}], NULL)"
            else:
                texts += 1
                value = f"nullIf(raw.texts[{texts}]::String, 'null')"
            if column.kind == Kind.VECTOR:
                vectors += 1
                value = f"raw.vectors[{vectors}]"
            places.setdefault(column.name, []).append((contract.version, value))
    source = {"prediction": "number" if newest.task == Task.REGRESSION else "class"}
    own = [f"raw.{source.get(name, name)} AS {name}" for name in _OWN]  # qualified: a column may be called like one of the table's
    current = [column.name for column in newest.kept]
    named = [f"{_chosen(places[name])} AS {quoted(_free(name, current))}" for name in places if name in current]
    view = called(newest.model)
    model = newest.model.replace("\\", "\\\\").replace("'", "\\'")
    engine.define(
        f"CREATE OR REPLACE VIEW {quoted(view)} AS SELECT {', '.join([*own, *named])} FROM predictions AS raw WHERE raw.model = '{model}'"
    )
    return view


def called(model: str) -> str:
    """The name of a model's view: `events_` and the model's name; if that is too long for a file's name, its beginning and a hash."""
    view = f"events_{model}"
    if _size(view) <= _LONGEST:
        return view
    ending = "_" + hashlib.sha256(model.encode()).hexdigest()[:16]
    while _size(view + ending) > _LONGEST:
        view = view[:-1]
    return view + ending


def _size(name: str) -> int:
    """How many bytes a name takes in a file's name: ClickHouse writes every byte but ASCII letters, digits and `_` as three."""
    return sum(1 if byte == 95 or (byte < 128 and chr(byte).isalnum()) else 3 for byte in name.encode())


def _chosen(held: list[tuple[int, str]]) -> str:
    """The value of a column in whichever version of the contract an event was taken under; as text where kinds differ.

    Versions with the same value are listed in one place, since a model's owner may make many that differ in segments alone.
    """
    versions: dict[str, list[str]] = {}
    for version, value in held:
        versions.setdefault(value, []).append(str(version))
    mixed = len({value.partition("[")[0] for _, value in held}) > 1
    cases = ", ".join(f"raw.contract IN ({', '.join(of)}), {f'toString({value})' if mixed else value}" for value, of in versions.items())
    # An array cannot be NULL.
    nothing = "CAST([], 'Array(Float32)')" if all(value.startswith("raw.vectors[") for _, value in held) else "NULL"
    return f"multiIf({cases}, {nothing})"


def _free(name: str, columns: Collection[str]) -> str:
    """The name of a column in the view: its own name, unless one of the view's own columns has it."""
    if name not in _OWN:
        return name
    while (name := f"feature_{name}") in columns:
        pass
    return name


def quoted(name: str) -> str:
    """A name quoted for SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
