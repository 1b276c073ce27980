"""Learns a contract from the first events of a model: what kind each column has, what the model predicts, and which optional fields come."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from core import text
from core.classes import gathered
from core.contract import Column, Contract, Kind, Roles, Task
from core.error import ConfigError
from core.name import Named, fault
from detectors.summary import vector_column
from detectors.summary.signal import ATTRIBUTION, signal
from monitors.reference.option import Options

OPTIONS = (
    "task",
    "features",
    "categorical",
    "exclude",
    "segments",
    "protected",
    "positive",
    "threshold",
    "earliest",
    "signals",
)  # that may be given
_FEW = 20  # whole numbers with so few different values are classes
_MOSTLY = 0.9  # of a column's values are numbers: then it is numeric, and the others are invalid
_LARGEST = sys.float_info.max
_COUNTED, _SHOWN = 1_000, 20  # different texts that are counted in a column, and shown
_SIGNALS = {
    "interval": "@interval_width",
    "prediction_set": "@set_size",
    "ensemble": "@ensemble_std",
    "latency_ms": "@latency_ms",
    "status": "@status",
    "caller": "@caller",
}  # by optional field, the signal that keeps it


class SeenColumn(msgspec.Struct, kw_only=True):
    """What was seen of a column: how many events have a value, the least and the largest number, and texts and numbers with their counts (of the first `_COUNTED` different ones)."""

    name: str
    values: int = 0
    numbers: int = 0
    least: float | None = None
    largest: float | None = None
    plain: Counter[str | float] = msgspec.field(default_factory=Counter)  # texts and numbers
    sizes: set[int] = msgspec.field(default_factory=set)  # of vectors

    def add(self, value: object) -> None:
        """Count a value of an event; null and NaN are none."""
        if value is None or value != value:
            return
        self.values += 1
        if isinstance(value, list):
            self.sizes.add(len(value))
        if (one := _readable(value)) is None:
            return
        if not isinstance(one, str | bool):
            self.numbers += 1
            self.least = one if self.least is None else min(self.least, one)
            self.largest = one if self.largest is None else max(self.largest, one)
        one = text.of(one) if isinstance(one, bool) else one
        if one in self.plain or len(self.plain) < _COUNTED:
            self.plain[one] += 1

    @property
    def kind(self) -> Kind | None:
        """The kind of the column; None if it has no value that any kind takes."""
        if self.numbers and self.numbers >= _MOSTLY * self.values:
            return Kind.NUMERIC
        if self.plain:
            return Kind.CATEGORICAL
        return Kind.VECTOR if len(self.sizes) == 1 and min(self.sizes) > 1 else None

    def described(self, kind: Kind, events: int) -> dict[str, Any]:
        """What was seen, ready for JSON."""
        found: dict[str, Any] = {"name": self.name, "kind": kind.value, "missing": (events - self.values) / events}
        if kind is Kind.NUMERIC:
            found["range"] = [self.least, self.largest]
        if kind is Kind.CATEGORICAL:
            many = len(self.plain) >= _COUNTED
            shown = [one if isinstance(one, str) else text.of(one) for one, _ in self.plain.most_common(_SHOWN)]
            found |= {"categories": shown, "distinct": None if many else len(self.plain)}
        return found


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A contract without bins, which reads the events, the options for the reference that they make, and what was seen of each column."""

    contract: Contract
    options: Options
    seen: Mapping[str, SeenColumn]
    events: int

    def described(self) -> dict[str, Any]:
        """What is proposed, ready for JSON."""
        contract = self.contract
        named = {
            part: [self.seen[one.name].described(one.kind, self.events) for one in getattr(contract, part)] for part in ("features", "tags")
        }
        left = [name for name in self.seen if name not in {one.name for one in contract.columns}]
        output: dict[str, Any] = {"task": contract.task.value, "scored": contract.scored}
        if contract.task is not Task.REGRESSION:
            output["classes"] = [text.unquote(one) for one in contract.classes]
        if contract.task is Task.BINARY:
            output["positive"] = text.unquote(contract.positive)
        return {**output, **named, "left_out": left, "signals": [one.name for one in contract.signals]}


def learn(model: str, events: Sequence[Mapping[str, Any]], labels: Iterable[Any], given: Mapping[str, str]) -> Learned:
    """The contract of these events, as they were sent, and of the values of labels. `given` are options that decide otherwise (`OPTIONS`), as texts.

    Raises ConfigError for an option that cannot be taken, and if no feature can be watched.
    """
    if wrong := sorted(set(given) - set(OPTIONS)):
        raise ConfigError(f"`{wrong[0]}` is no option of a proposal", remedy="options: " + ", ".join(OPTIONS))
    features, tags = _columns(events, "features"), _columns(events, "tags")
    scored = any(_held(event, "score") or _held(event, "probabilities") for event in events)
    values, truths = [_readable(event.get("prediction")) for event in events], [_readable(one) for one in labels]
    sent = {name for event in events if isinstance(event.get("probabilities"), Mapping) for name in event["probabilities"]}
    named = {name for name in sent if _readable(name) is not None}
    options = Options.of({"task": _task(values, truths, named, scored=scored), **given})
    cut = {part for one in options.segments for part in one.split("*")} | set(options.protected)
    kinds = {name: Kind.CATEGORICAL if name in {*cut, *options.categorical} else one.kind for name, one in (tags | features).items()}
    wanted = [name for name in features if name not in options.exclude and (options.features is None or name in options.features)]
    taken = [name for name in wanted if kinds[name] is not None and not fault(Named.COLUMN, name)]
    if not taken:
        raise ConfigError(
            f"no event of `{model}` has a feature that can be watched", remedy="declare the contract, or give a reference as a file"
        )
    classes, positive = _classes(options.task, values, truths, named, given)
    contract = Contract(
        model=model,
        version=1,
        task=options.task,
        features=tuple(_column(features[name], kinds[name]) for name in taken),
        tags=tuple(_column((tags | features)[name], Kind.CATEGORICAL) for name in kinds if name in cut and name not in taken),
        signals=tuple(Column(name=name, kind=found.kind) for name in _signals(events, taken) if (found := signal(name)) is not None),
        classes=classes,
        positive=positive,
        scored=scored and options.task is not Task.REGRESSION,
        threshold=options.threshold,
        earliest=options.earliest,
        roles=_roles({*taken, *cut}),
    )
    return Learned(contract=contract, options=options, seen=tags | features, events=len(events))


def _columns(events: Sequence[Mapping[str, Any]], part: str) -> dict[str, SeenColumn]:
    found: dict[str, SeenColumn] = {}
    for event in events:
        held = event.get(part)
        for name, value in held.items() if isinstance(held, dict) else ():
            one = found.get(name)
            if one is None:
                one = found[name] = SeenColumn(name=name)
            one.add(value)
    return {name: one for name, one in found.items() if _readable(name) is not None}


def _readable(value: object) -> str | float | None:
    """A text, number or boolean; None for any other value, and for one that every contract calls invalid: a number out of range, or a text that is too long or no Unicode."""
    if isinstance(value, str):
        try:
            return value if len(value.encode()) <= text.LONGEST else None
        except UnicodeEncodeError:
            return None
    if not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
        return None
    return value if isinstance(value, bool) or -(2**63) <= value < 2**63 else float(value)


def _held(event: Mapping[str, Any], name: str) -> bool:
    return event.get(name) is not None


def _task(values: Sequence[Any], labels: Sequence[Any], named: set[str], *, scored: bool) -> str:
    """What the model predicts, judged by its predictions and labels."""
    sent = [value for value in (*values, *labels) if value is not None]
    numbers = [float(value) for value in sent if isinstance(value, int | float) and not isinstance(value, bool)]
    different = {text.class_of(value, binary=True) for value in sent}
    if len(numbers) == len(sent) and not scored and (len(different) > _FEW or any(not one.is_integer() for one in numbers)):
        return Task.REGRESSION.value
    return Task.BINARY.value if len(different) <= 2 and len(named) <= 2 else Task.MULTICLASS.value


def _classes(
    task: Task, values: Sequence[Any], labels: Sequence[Any], named: set[str], given: Mapping[str, str]
) -> tuple[tuple[str, ...], str]:
    """The classes, and the positive one: as given, else `1`, else the last by name."""
    if task is Task.REGRESSION:
        return (), "1"
    binary = task is Task.BINARY
    sent = [*values, *labels, *named]
    texts = {text.class_of(value, binary=binary): isinstance(value, str) for value in sent if value is not None}
    classes = gathered([([one], is_text) for one, is_text in texts.items()], binary=binary)
    wished = text.class_of(given["positive"], binary=binary) if "positive" in given else "1"
    if not binary:
        return classes, wished
    positive = wished if wished in classes or "positive" in given or not classes else classes[-1]
    return tuple(sorted({*classes, positive})), positive


def _column(seen: SeenColumn, kind: Kind | None) -> Column:
    if kind is Kind.VECTOR:
        return vector_column.column(seen.name, min(seen.sizes))
    return Column(name=seen.name, kind=kind or Kind.CATEGORICAL)


def _signals(events: Sequence[Mapping[str, Any]], features: Sequence[str]) -> list[str]:
    found = [name for field, name in _SIGNALS.items() if any(_held(event, field) for event in events)]
    sent = {name for event in events if isinstance(event.get("attributions"), dict) for name in event["attributions"]}
    return found + [ATTRIBUTION + name for name in features if name in sent]


def _roles(columns: set[str]) -> Roles:
    """The usual names of role columns; one that is a feature's name gets a name that no feature can have."""
    plain = Roles()
    names = ("id", "ts", "prediction", "score", "label", "label_ts")
    own = {role: name if (name := getattr(plain, role)) not in columns else f"@{name}" for role in names}
    prefix = plain.proba_prefix if not any(name.startswith(plain.proba_prefix) for name in columns) else f"@{plain.proba_prefix}"
    return msgspec.structs.replace(plain, **own, proba_prefix=prefix)
