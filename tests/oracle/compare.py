"""Compares readings with the expected ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

TOLERANCE = 1e-9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("monitor", "measure", "column", "segment", "window_start", "window_end")
_FLOATS, _EXACT = (
    {"value": TOLERANCE, "baseline_value": TOLERANCE, "lower": 2e-6, "upper": 2e-6, "n_effective": TOLERANCE},
    ("n_target", "n_baseline", "verdict"),
)


def compare(expected: pd.DataFrame, readings: Iterable[Mapping[str, Any]], floats: Collection[str] = tuple(_FLOATS)) -> list[str]:
    """What differs, one line a difference: a missing reading, one too many, another n or verdict, a float off by more than 1e-9, a bound by more than 2e-6. Of the floats only `floats` are compared.

    `readings` are items of `GET /v1/readings` of the monitors in `expected`. Windows without rows after the last one expected are left out.
    """
    wanted = {_key(row): row for row in expected.astype(object).where(expected.notna(), None).to_dict("records")}
    last = max((key[4] for key in wanted), default=0)
    differences, seen = [], set()
    for item in readings:
        reading = {**item, "window_start": micros(item["window_start"]), "window_end": micros(item["window_end"])}
        key = _key(reading)
        if key in seen:
            differences.append(f"{_where(key)}: is there twice")
        seen.add(key)
        if key in wanted:
            differences += [f"{_where(key)}: {text}" for text in _fields(wanted[key], reading, floats)]
        elif reading["window_start"] <= last or reading["verdict"] != "nodata":
            differences.append(f"{_where(key)}: is there and should not be")
    differences += [f"{_where(key)}: is missing" for key in wanted if key not in seen]
    return differences


@cache
def micros(time: int | str) -> int:
    """Microseconds since the epoch of an RFC 3339 text."""
    return time if isinstance(time, int) else (datetime.fromisoformat(time) - _EPOCH) // timedelta(microseconds=1)


def _key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _where(key: tuple[Any, ...]) -> str:
    monitor, measure, column, segment, start, end = key
    first, last = ((_EPOCH + timedelta(microseconds=at)).isoformat() for at in (start, end))
    return f"{monitor} ({measure} of {column or 'the model'}, {segment}) {first} to {last}"


def _fields(wanted: Mapping[Any, Any], reading: Mapping[str, Any], floats: Collection[str]) -> list[str]:
    wrong = [name for name in _EXACT if wanted[name] != reading[name]]
    wrong += [name for name in floats if not _close(wanted[name], reading[name], _FLOATS[name])]
    return [f"{name} is {reading[name]!r}, expected {wanted[name]!r}" for name in wrong]


def _close(wanted: float | None, value: float | None, within: float) -> bool:
    if wanted is None or value is None:
        return wanted is value
    return abs(wanted - value) <= within * max(1.0, abs(wanted))
