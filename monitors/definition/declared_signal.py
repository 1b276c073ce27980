"""The signals of a declared contract: names, or names with declared bins."""

from __future__ import annotations

from typing import Any

import msgspec

from core.contract import Column, Contract, Kind
from core.error import ConfigError
from detectors.summary.signal import ATTRIBUTION, SIGNALS, STATUSES, TEXT, VECTOR, Signal, of_columns, signal
from monitors.definition.column import CATEGORIES, edges, texts
from monitors.definition.document import short, unknown

KEYS = ("name", "range", "edges", "categories")


def declare_signals(contract: Contract, value: Any) -> Contract:
    """The contract with its declared signals, and those of its text columns."""
    if value is not None and not isinstance(value, list):
        raise ConfigError("`signals` is no list", remedy="write `signals: [confidence, latency_ms]`")
    found = tuple(_signal(contract, one) for one in value or ())
    names = [column.name for column in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"the signal `{twice}` is listed twice")
    of_text = tuple(_signal(contract, name) for name in of_columns(contract) if name not in names)
    return msgspec.structs.replace(contract, signals=found + of_text)


def _signal(contract: Contract, value: Any) -> Column:
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise ConfigError(f"`{short(value)}` is no signal", remedy="write `confidence`, or `{name: interval_width, range: [0, 10]}`")
    if unexpected := next((str(key) for key in given if key not in KEYS), None):
        raise unknown("field", unexpected, KEYS)
    name = given["name"] if given["name"].startswith("@") else f"@{given['name']}"
    one = signal(name)
    if one is None:
        raise unknown("signal", name, [known.name for known in SIGNALS])
    if contract.task not in one.tasks:
        raise ConfigError(f"`{name}` is not for {contract.task} models", remedy="it is for " + ", ".join(one.tasks))
    if name.startswith(ATTRIBUTION) and (feature := name.removeprefix(ATTRIBUTION)) not in {column.name for column in contract.features}:
        raise unknown("feature", feature, [column.name for column in contract.features])
    if name.startswith((TEXT, VECTOR)) and name not in of_columns(contract):
        raise unknown("signal", name, of_columns(contract))
    if one.field == "score" and not contract.scored:
        raise ConfigError(f"`{name}` is made of scores", remedy="write `scored: true`")
    try:
        return _binned(name, one, given, contract)
    except ConfigError as error:
        raise ConfigError(f"signal `{name}`: {error.message}", remedy=error.remedy) from None


def _binned(name: str, one: Signal, given: dict[str, Any], contract: Contract) -> Column:
    """The column of a signal, with its declared bins, or else with the bins that it has by itself."""
    numeric, written = one.kind == Kind.NUMERIC, given.keys() - {"name"}
    if written and one.frozen:
        raise ConfigError("its bins are always the same", remedy="leave them out")
    if wrong := sorted(written - ({"range", "edges"} if numeric else {"categories"})):
        raise ConfigError(f"`{wrong[0]}` is not for a signal that is {one.kind}", remedy="leave it out")
    if not numeric:
        categories = STATUSES if one.frozen else texts(given.get("categories"), "categories", CATEGORIES)
        return Column(name=name, kind=one.kind, categories=categories)
    return Column(name=name, kind=one.kind, edges=one.edges(contract) if one.edges and not written else edges(given))
