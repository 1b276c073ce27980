"""`params.of`: the measure of whose values or rows another measure is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.contract import Contract
from core.error import ConfigError
from core.measure import Measure, Subject
from detectors.compare.difference import Of
from monitors.definition import attribute, field


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


def column(of: Of, about: Measure, within: tuple[str, ...], contract: Contract | None) -> None:
    """Raise ConfigError unless the measure that a comparison or a chart is of has the column or attribute that it needs. `of` has its params, `within` are the monitor's segments."""
    if about.subject is Subject.MODEL:
        if of.column:
            raise ConfigError(f"`{about.name}` is of the whole model", remedy="leave `params.of.column` out")
        return
    if not of.column:
        what = "an attribute" if about.subject.protected else "a column"
        raise ConfigError(f"`{about.name}` is of {what}", remedy=f"write `of: {{measure: {about.name}, column: NAME}}`")
    if contract is None:
        return
    if about.subject.protected:
        attribute.check(about, attribute.attributes([of.column], about, contract), within, of.params.get("reference"), contract)
    else:
        field.columns([of.column], contract)
