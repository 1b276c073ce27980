"""Declared contracts. Their bins are as written, and they have no reference.

- contract: churn
  task: binary
  columns:
    - {name: age, kind: numeric, range: [18, 100]}
    - {name: plan, kind: categorical, categories: [basic, plus]}
  segments: [plan]
  signals: [confidence, latency_ms]
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from core import duration, moment, text
from core.classes import Classes, gathered
from core.contract import LABEL, PREDICTION, SCORE, Column, Contract, Dimension, Kind, Task
from core.described import READERS
from core.error import ConfigError
from core.name import Named, check
from monitors.definition import field
from monitors.definition.column import columns, flag, numeric, texts
from monitors.definition.declared_signal import declare_signals
from monitors.definition.document import DefinitionEntry, Faults, as_text, short, truth, unknown

VALUES = 100  # of a dimension
OLDEST = moment.parse("1900-01-01T00:00:00Z")  # the times that the stores can hold
KEYS = (
    "contract",
    "task",
    "columns",
    "prediction",
    "classes",
    "positive",
    "threshold",
    "scored",
    "signals",
    "segments",
    "crosses",
    "protected",
    "pane",
    "earliest",
    *READERS,
)
LATER = ("label_delay", "roles")


def declared(entry: DefinitionEntry, faults: Faults, held: Contract | None = None) -> Contract | None:
    """The contract of an entry, version 1 until it is saved; None if there are faults, which are added to `faults`. `held` is the model's current contract.

    An entry with nothing but owner, description or runbook gives `held` with these fields; an entry without any of them leaves them as they are.
    """
    before = len(faults.found)
    words = field.words(entry, faults)
    if held is not None and not any(words.values()):
        words = held.words
    if held is not None and not entry.fields.keys() - {"contract", *READERS} and len(entry.fields) > 1:
        return msgspec.structs.replace(held, **words) if len(faults.found) == before else None
    _keys(entry, faults)
    there = () if held is None else [column.name for column in held.columns]
    task = faults.read(entry, "task", _task, None)
    pairs = faults.read(entry, "columns", lambda value: columns(value, there), ())
    segments = (*faults.read(entry, "segments", field.names, ()), *faults.read(entry, "crosses", field.names, ()))
    protected = faults.read(entry, "protected", field.names, ())
    settings: dict[str, Any] = {
        "threshold": faults.read(entry, "threshold", _share, 0.5),
        "pane": faults.read(entry, "pane", _pane, moment.HOUR),
        "earliest": faults.read(entry, "earliest", _earliest, 365 * moment.DAY),
        "scored": faults.read(entry, "scored", flag, False),
    }
    if len(faults.found) > before or task is None:
        return None
    try:
        classes, positive, outputs = _outputs(entry.fields, task, scored=settings["scored"])
        contract = Contract(
            model=entry.name,
            version=1,
            task=task,
            features=tuple(column for column, tag in pairs if not tag),
            tags=tuple(column for column, tag in pairs if tag),
            outputs=outputs,
            classes=classes,
            positive=positive,
            **settings,
            **words,
        )
        contract = declare_signals(contract, entry.fields.get("signals"))
        dimensions, crosses = _dimensions((*contract.columns, *contract.signals), segments, protected, held)
    except ConfigError as error:
        faults.add(entry.line, f"contract `{entry.name}`", error)
        return None
    return msgspec.structs.replace(contract, dimensions=dimensions, crosses=crosses)


def _keys(entry: DefinitionEntry, faults: Faults) -> None:
    """Check that every key is known and built, and that the required ones are there."""
    where = f"contract `{entry.name}`"
    for key in entry.fields:
        if key not in KEYS:
            faults.add(entry.lines[key], where, field.later(key) if key in LATER else unknown("field", key, KEYS))
    for key in ("task", "columns"):
        if entry.fields.get(key) is None:
            faults.add(entry.line, where, ConfigError(f"`{key}` is missing"))


def content(contract: Contract) -> str:
    """A hash of a declared contract without its version, owner, description and runbook."""
    document: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(contract, version=0))
    return hashlib.sha256(msgspec.json.encode({name: value for name, value in document.items() if name not in READERS})).hexdigest()


def same(held: Contract, given: Contract) -> bool:
    """Whether both contracts are declared alike; owner, description, runbook and values that were taken up do not count. Ranges do not count if `held` is too old to have them."""
    held, given = _without_new(held), _without_new(given)  # `given` has them, too, where an entry gives nothing but words
    if all(column.range is None for column in (*held.columns, *held.outputs)):
        given = msgspec.structs.replace(
            given, **{name: tuple(map(_without_range, getattr(given, name))) for name in ("features", "tags", "outputs")}
        )
    return held == msgspec.structs.replace(given, version=held.version, **held.words)


def _without_new(contract: Contract) -> Contract:
    """The contract without values that were taken up."""
    dimensions = tuple(msgspec.structs.replace(one, new=()) for one in contract.dimensions)
    return msgspec.structs.replace(contract, referred=0, dimensions=dimensions)


def _without_range(column: Column) -> Column:
    return msgspec.structs.replace(column, range=None)


def _dimensions(
    columns: Sequence[Column], segments: Sequence[str], protected: Sequence[str], held: Contract | None
) -> tuple[tuple[Dimension, ...], tuple[tuple[str, ...], ...]]:
    """The dimensions, protected attributes among them, and the crosses between them."""
    by_name = {column.name: column for column in columns}
    names = tuple(dict.fromkeys([*(name for name in segments if "*" not in name), *protected]))
    for name in names:
        if name not in by_name:
            raise unknown("column", name, by_name)
        if by_name[name].kind != Kind.CATEGORICAL:
            raise ConfigError(f"the segment `{name}` is {by_name[name].kind}", remedy="declare the column categorical, with its categories")
        if not name.startswith("@"):
            check(Named.DIMENSION, name, () if held is None else [dimension.name for dimension in held.dimensions])
    crosses: dict[frozenset[str], tuple[str, ...]] = {}
    for cross in (name for name in segments if "*" in name):
        parts = tuple(part.strip() for part in cross.split("*"))
        if not set(parts) <= set(names) or len(set(parts)) < len(parts):
            raise ConfigError(
                f"`{cross}` crosses a column that is not a segment, or a column with itself", remedy="segments: " + ", ".join(names)
            )
        crosses.setdefault(frozenset(parts), parts)
    dimensions = (Dimension(name=name, values=by_name[name].categories[:VALUES], protected=name in protected) for name in names)
    return tuple(dimensions), tuple(crosses.values())


def _outputs(fields: dict[str, Any], task: Task, *, scored: bool) -> tuple[tuple[str, ...], str, tuple[Column, ...]]:
    """Classes, the positive class, and the bins of the model's output."""
    if task == Task.REGRESSION:
        if unexpected := next((key for key in ("classes", "positive", "scored") if fields.get(key)), None):
            raise ConfigError(f"`{unexpected}` is not for a regression", remedy="leave it out")
        given = fields.get("prediction")
        if not isinstance(given, dict) or not set(given) <= {"range", "edges"}:
            raise ConfigError("`prediction` is missing: a regression's bins", remedy="write `prediction: {range: [0, 100]}`")
        return (), "1", tuple(numeric(name, given) for name in (PREDICTION, LABEL))
    if fields.get("prediction") is not None:
        raise ConfigError("`prediction` is for a regression", remedy="write `classes`")
    binary = task == Task.BINARY
    given = fields.get("classes") or ([0, 1] if binary else None)
    given = [truth(one) for one in given] if binary and isinstance(given, list) else given  # 0 and 1, however they are written
    parts = [([text.class_of(one, binary=binary)], isinstance(one, str)) for one in given] if isinstance(given, list) else []
    classes = gathered(parts, binary=binary)
    if min(len(texts(given, "classes", VALUES)), len(classes)) < 2 or (binary and len(classes) != 2):
        raise ConfigError("`classes` are two for a binary model, and two or more for a multiclass one", remedy="write `classes: [a, b]`")
    stated = 1 if fields.get("positive") is None else truth(fields["positive"]) if binary else fields["positive"]
    as_text(stated)  # refuses numbers such as 1.10
    positive = text.class_of(stated, binary=binary)
    if binary and (positive := Classes(classes, binary=True).find(positive) or positive) not in classes:
        raise ConfigError(f"`positive: {positive}` is none of the classes {', '.join(classes)}", remedy="write one of them")
    score = [numeric(SCORE, {"range": [0, 1]})] if scored and binary else []
    prediction, label = (Column(name=name, kind=Kind.CATEGORICAL, categories=classes) for name in (PREDICTION, LABEL))
    return classes, positive, (prediction, *score, label)


def _task(value: Any) -> Task:
    if value not in tuple(Task):
        raise ConfigError(f"there is no task `{short(value)}`", remedy="one of " + ", ".join(Task))
    return Task(value)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and 0 < value < 1):
        raise ConfigError(f"`{short(value)}` is not between 0 and 1", remedy="write for example 0.5")
    return float(value)


def _pane(value: Any) -> int:
    found = duration.parse(value)
    if found < moment.MINUTE or moment.DAY % found:
        raise ConfigError(f"a pane of {value} does not fit into a day", remedy="write 1m, 5m, 15m, 1h, 6h or 1d")
    return found


def _earliest(value: Any) -> int:
    """Microseconds of a date or an RFC 3339 time."""
    try:
        found = moment.parse_start(str(value))
    except ValueError as error:
        raise ConfigError(str(error), remedy="write a date such as 1971-01-01") from None
    if found < OLDEST:
        raise ConfigError("1900-01-01 is the earliest that can be kept")
    return found
