"""The sides of a comparison: what a monitor's `a` and `b` name, and whether the measure can be compared between them."""

from __future__ import annotations

from typing import Any

import msgspec

from core.baseline.rows import Role, Version
from core.contract import Contract
from core.error import ConfigError
from core.measure import Family, Subject
from core.monitor import Monitor
from detectors.catalogue import spec
from detectors.compare.difference import Compared, DifferenceParams, Of
from detectors.spec import AnySpec
from monitors.definition import field
from monitors.definition.document import DefinitionEntry, Faults, as_text, bare, short
from monitors.definition.of import column, named, suits, written

_APART = (Family.COMPARE, Family.CHANGE, Family.DRIFT, Family.EXPLAIN)  # what has no value of one side alone
_EXAMPLE = "write for example `a: {role: champion}` and `b: {role: challenger}`"
_KEYS = ("a", "b")
_NOT = ("baseline", "version", "warn", "critical", "clear", "budget", "columns", "attributes", "exclude", "min_label_coverage")


def compares(measure: AnySpec | None) -> bool:
    """Whether a measure compares two sides."""
    return measure is not None and measure.evidence is Compared


def read(entry: DefinitionEntry, faults: Faults, measure: AnySpec | None) -> tuple[Version | Role | None, Version | Role | None]:
    """The sides a and b, None for other measures, which refuse them. What a comparison does not take is refused, too."""
    if not compares(measure):
        for key in _KEYS if measure is not None else ():
            faults.read(entry, key, _refused, None)
        return None, None
    for key in _NOT:
        if entry.fields.get(key) not in (None, []) and not (key == "baseline" and bare(entry.fields[key]) == bare(entry.fields.get("a"))):
            error = ConfigError(
                f"a comparison takes no `{key}`: `a` and `b` are compared, and its verdict is that of `margin`", remedy="leave it out"
            )
            faults.add(entry.lines[key], f"monitor `{entry.name}`, `{key}`", error)
    a, b = (faults.read(entry, key, _side, None, missing="") for key in _KEYS)
    if a is not None and a == b:
        faults.add(
            entry.lines["b"], f"monitor `{entry.name}`, `b`", ConfigError("`a` and `b` are the same", remedy="name another version or role")
        )
    return a, b


def check(monitor: Monitor, contract: Contract | None) -> dict[str, Any]:
    """The params of a comparison with those of its measure filled in. Raises ConfigError where the measure cannot be compared."""
    params = msgspec.convert(monitor.params, DifferenceParams)
    of = named(lambda: params.compared)
    found = spec(of.measure)
    about = found.about
    if found.trained or about.of_stream or about.family in _APART or about.subject is Subject.GROUP:
        raise ConfigError(
            f"`{about.name}` cannot be compared between two sides", remedy="take a measure of performance, fairness or service"
        )
    suits(about, contract)
    settled = field.params(of.params, found, contract)
    if about.directed(settled).better == 0 and about.name != "performance.bias" and about.judged.value != "promise":
        raise ConfigError(f"of `{about.name}` neither more nor less is better", remedy="take a measure that has a good direction")
    if monitor.window.overlaps:
        raise ConfigError("a comparison adds its windows up, and these overlap", remedy="write for example `target: daily`")
    column(Of(of.measure, settled, of.column), about, monitor.segments, contract)
    return written(monitor.params, of, settled)


def _side(value: Any) -> Version | Role:
    given = {key: as_text(one) if isinstance(one, float) else bare(one) for key, one in value.items()} if isinstance(value, dict) else value
    if (found := Version.read(given) or Role.read(given)) is None:
        raise ConfigError("the side is missing" if value == "" else f"`{short(value)}` is no side", remedy=_EXAMPLE)
    return found


def _refused(_value: Any) -> None:
    raise ConfigError("only a comparison has sides", remedy="leave it out, or write `measure: compare.difference`")
