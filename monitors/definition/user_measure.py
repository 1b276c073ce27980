"""The expression of a monitor of a user measure: a field of its own when it is written, one of the params when it is kept."""

from __future__ import annotations

from typing import Any

from core.contract import Contract
from core.error import ConfigError
from detectors.spec import AnySpec
from detectors.user.expression import expression
from detectors.user.measure import UserParams
from monitors.definition import field
from monitors.definition.document import DefinitionEntry, Faults, as_text, short

_EXAMPLE = 'write for example `expression: "where(label == 1 and prediction == 0, 100, 5)"`'


def params(entry: DefinitionEntry, faults: Faults, measure: AnySpec | None, contract: Contract | None) -> dict[str, Any]:
    """The params of a monitor, the `expression` of a user measure among them."""
    own = measure is not None and measure.params is UserParams
    given = {} if entry.fields.get("params") is None else entry.fields["params"]
    if not own or not isinstance(given, dict):
        if measure is not None and not own:
            faults.read(entry, "expression", _refused, None)
        return faults.read(entry, "params", lambda value: field.params(value, measure, contract), {}, missing={})
    kept = given.get("expression")  # as the API gives a monitor
    missing = "" if kept is None else kept
    said = faults.read(entry, "expression", lambda value: _checked(value, kept, contract), "", missing=missing)
    if not said:
        return {}
    return faults.read(entry, "params", lambda value: field.params({**value, "expression": said}, measure, None), {}, missing={})


def _checked(value: Any, kept: Any, contract: Contract | None) -> str:
    written = value if isinstance(value, str) else as_text(value) if isinstance(value, int | float) else None
    if not written:
        raise ConfigError("the expression is missing" if value == "" else f"`{short(value)}` is no expression", remedy=_EXAMPLE)
    if kept is not None and kept != value:
        raise ConfigError("`params.expression` says something else", remedy="leave it out of `params`")
    if contract is not None:
        expression(written, contract)
    return written.strip()


def _refused(value: Any) -> None:
    raise ConfigError(
        f"only a user measure takes an expression: `{short(value)}`", remedy="write `measure: user.cost`, with a name of your own"
    )
