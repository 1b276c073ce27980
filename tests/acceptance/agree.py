"""Compares the readings of two runs: all fields but the revision must be equal, floats to 1e-9."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_KEY = ("monitor", "column", "segment", "window_start", "window_end")
_APART = {"model", "revision"}


def differences(quiet: Iterable[Mapping[str, Any]], other: Iterable[Mapping[str, Any]]) -> list[str]:
    """The differences, one line a reading."""
    wanted, found = ({tuple(item[name] for name in _KEY): item for item in items} for items in (quiet, other))
    missing = [f"{key} is missing" for key in wanted.keys() - found.keys()]
    more = [f"{key} is there and should not be" for key in found.keys() - wanted.keys()]
    changed = [f"{key}: {fields}" for key in wanted.keys() & found.keys() if (fields := _fields(wanted[key], found[key]))]
    return sorted(missing + more + changed)


def _fields(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = (wanted.keys() | found.keys()) - _APART
    return {name: (wanted.get(name), found.get(name)) for name in sorted(names) if not _same(wanted.get(name), found.get(name))}


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, float) and isinstance(found, float):
        return abs(wanted - found) <= 1e-9 * max(1.0, abs(wanted))
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return wanted.keys() == found.keys() and all(_same(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_same, wanted, found))
    return wanted == found
