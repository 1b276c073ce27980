"""The optional fields of a prediction event: kept with a raw event as JSON text, and read as columns.

A field that was sent and cannot be used is `WRONG` here. The text names it in `invalid`, so that raw events read back give the same columns.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from core import text
from core.block import Categories, Floats, Ints

Finite = Annotated[float, msgspec.Meta(ge=-1.7976931348623157e308, le=1.7976931348623157e308)]
Scalar = str | int | Finite | bool

WRONG = math.inf  # stands for what cannot be used; a number column holds it as it is


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A prediction interval at a level in (0, 1)."""

    lower: Finite
    upper: Finite
    level: Finite | None = None


class Extra(msgspec.Struct, omit_defaults=True, gc=False):
    """The optional fields of a prediction event."""

    interval: Interval | None = None
    prediction_set: list[Scalar] | None = None
    ensemble: list[Finite] | None = None
    attributions: dict[str, Finite | None] | None = None
    request_id: str | None = None
    caller: str | None = None
    latency_ms: Finite | None = None
    status: Literal["ok", "error"] | None = None
    tags: dict[str, Scalar | None] | None = None


class Kept(Extra, omit_defaults=True, gc=False):
    """The fields as raw events keep them. `invalid` names those that were sent and cannot be used; one attribution is `attributions.` and its feature.

    `unknown` names columns that were sent and are not in the contract, in order; their values are not kept.
    """

    invalid: list[str] | None = None
    unknown: list[str] | None = None

    def mark(self) -> None:
        """Move what is `WRONG` to `invalid`."""
        wrong = [name for name in EXTRAS if getattr(self, name) is WRONG]
        for name in wrong:
            setattr(self, name, None)
        if self.attributions:
            bad = [name for name, value in self.attributions.items() if value is WRONG]
            self.attributions = {name: value for name, value in self.attributions.items() if value is not WRONG} or None
            wrong += [f"attributions.{name}" for name in bad]
        self.invalid = [*(self.invalid or ()), *(name.encode(errors="replace").decode() for name in wrong)] or None

    def unmark(self) -> None:
        """Set the fields that `invalid` names to `WRONG`."""
        for name in self.invalid or ():
            whole, _, feature = name.partition(".")
            if feature:
                self.attributions = {**(self.attributions or {}), feature: WRONG}
            else:
                setattr(self, whole, WRONG)
        self.invalid = None


EXTRAS: dict[str, Any] = {one.name: one.type for one in msgspec.structs.fields(Extra)}
_NOTHING = Kept()
_decode = msgspec.json.Decoder(Kept).decode


def read(texts: Iterable[str]) -> list[Kept]:
    """The fields of raw events, from the texts that they keep."""
    found = []
    for one in texts:
        kept = _decode(one) if one else _NOTHING
        if kept.invalid:
            kept.unmark()
        found.append(kept)
    return found


@dataclass(frozen=True)
class Fields:
    """Some optional fields of n events as columns, by name; in numbers NaN is null and +infinity invalid, (n,).

    `numbers` holds `latency_ms`, `interval.lower`, `interval.upper`, `set_size` and `attributions.` with a feature; `texts` `status` and `caller`.
    `members` are those of all ensembles, one after the other, `counts` (n,) how many each event has, -1 for an invalid one. `bad` says which
    values cannot be used, though their type is right, by field and row.
    """

    numbers: Mapping[str, Floats] = field(default_factory=dict)
    texts: Mapping[str, Categories] = field(default_factory=dict)
    members: Floats = field(default_factory=lambda: np.zeros(0))
    counts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    bad: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


def fields_of(names: Collection[str], events: Sequence[Any]) -> Fields:
    """The named fields of events: `latency_ms`, `status`, `caller`, `interval`, `prediction_set`, `ensemble` and `attributions.` with a feature."""
    numbers: dict[str, Floats] = {}
    bad: dict[str, Mapping[int, str]] = {}
    if "latency_ms" in names:
        numbers["latency_ms"], bad["latency_ms"] = latencies(np.array([event.latency_ms for event in events], np.float64))
    if "interval" in names:
        given = [event.interval for event in events]
        for index, bound in enumerate(("lower", "upper")):
            numbers[f"interval.{bound}"] = np.array([_bound(one, index) for one in given], np.float64)
        bad["interval"] = crossed(numbers["interval.lower"], numbers["interval.upper"])
    if "prediction_set" in names:
        sets = [event.prediction_set for event in events]
        numbers["set_size"] = np.array([one if one is None or one is WRONG else len(one) for one in sets], np.float64)
    if features := [name.removeprefix("attributions.") for name in names if name.startswith("attributions.")]:
        numbers |= {f"attributions.{name}": values for name, values in _attributions(features, events).items()}
    members, counts = _ensembles([event.ensemble for event in events]) if "ensemble" in names else (np.zeros(0), np.zeros(0, np.int64))
    texts = {name: texts_of([getattr(event, name) for event in events]) for name in ("status", "caller") if name in names}
    return Fields(numbers, texts, members, counts, bad)


def latencies(values: Floats) -> tuple[Floats, Mapping[int, str]]:
    """The latencies, with those below 0 as invalid; and which were below 0."""
    below = np.flatnonzero(values < 0)
    values[below] = WRONG
    return values, dict.fromkeys(below.tolist(), "a latency below 0")


def crossed(lower: Floats, upper: Floats) -> Mapping[int, str]:
    """Which intervals have a lower bound above the upper one."""
    return dict.fromkeys(np.flatnonzero(np.isfinite(lower) & (lower > upper)).tolist(), "the lower bound is above the upper one")


def texts_of(values: Sequence[Any]) -> Categories:
    """A column of strings and None as texts. A lone surrogate, and a value that is not a string, are invalid."""
    table: dict[str, int] = {}
    code = {value: table.setdefault(_text(value), len(table)) for value in dict.fromkeys(values)}
    return Categories(np.fromiter(map(code.__getitem__, values), np.int32, len(values)), list(table))


def _text(value: Any) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return text.INVALID
    return text.of(value)


def _bound(interval: Any, index: int) -> float | None:
    if interval is None or interval is WRONG:
        return None if interval is None else WRONG
    return (interval.lower, interval.upper)[index]  # type: ignore[no-any-return]


def _attributions(features: Sequence[str], events: Sequence[Any]) -> dict[str, Floats]:
    """Each feature's attributions (n,)."""
    given = [event.attributions for event in events]
    wrong = np.array([one is WRONG for one in given], np.bool_)
    kind = pa.struct([(name, pa.float64()) for name in features])
    rows = pa.array([None if one is WRONG else one for one in given], kind)
    found = {}
    for name, column in zip(features, rows.flatten(), strict=True):
        values = column.to_numpy(zero_copy_only=False).copy()
        values[wrong] = WRONG
        found[name] = values
    return found


def _ensembles(values: Sequence[Any]) -> tuple[Floats, Ints]:
    """The members of all ensembles, and the number of each."""
    counts = np.array([-1 if one is WRONG else 0 if one is None else len(one) for one in values], np.int64)
    members = [member for one, count in zip(values, counts.tolist(), strict=True) if count > 0 for member in one]
    return np.array(members, np.float64), counts
