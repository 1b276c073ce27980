"""`params.of`: the measure of whose values or rows another measure is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.contract import Contract
from core.error import ConfigError
from core.measure import Measure
from detectors.compare.difference import Of


def named(read: Callable[[], Of]) -> Of:
    """What `read` gives; its ValidationError becomes a ConfigError."""
    try:
        return read()
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"`params.of`: {error}", remedy="write `of: performance.accuracy`, or `of: {measure: ..., params: {...}}`"
        ) from None


def suits(about: Measure, contract: Contract | None) -> None:
    """Raises ConfigError if the measure is not for the task of the model."""
    if contract is not None and contract.task not in about.tasks:
        raise ConfigError(f"`{about.name}` is not for {contract.task} models", remedy="it is for " + ", ".join(about.tasks))


def written(params: dict[str, Any], of: Of, settled: dict[str, Any]) -> dict[str, Any]:
    """The params of the monitor, with those of its measure filled in."""
    plain = isinstance(params["of"], str) and not settled
    return {**params, "of": of.measure if plain else {"measure": of.measure, "params": settled, "column": of.column}}
