"""The fields of the form of a monitor, in the address, and the definition that they make."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import moment
from core.monitor import Monitor, Severity
from core.plain_json import plain_json
from dashboard.listed import Listed
from dashboard.picked import BASELINES, TARGETS

_PLAIN = re.compile(r"[a-z][a-z0-9._-]*\Z", re.ASCII)
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # which a reader of YAML may not take as texts
_LONGEST = 15  # digits of a whole number; a longer one is refused as a text
_LIMIT = re.compile(r"\s*(above|below)?\s*(-?\d+(?:\.\d+)?)\s*\Z")


@dataclass(frozen=True)
class MonitorForm(Listed):
    """What is filled in; "" is nothing. `columns` and `segments` are parted by commas, `target` and `baseline` are names of what may be picked."""

    PATH = "monitor"

    model: str = ""
    monitor: str = ""
    measure: str = "drift.psi"
    columns: str = ""
    segments: str = ""
    target: str = "1d"
    timezone: str = ""
    baseline: str = ""
    warn: str = ""
    critical: str = ""
    min_samples: str = ""
    persist: str = ""
    severity: str = ""

    @property
    def missing(self) -> list[str]:
        """What must be filled in first."""
        return [words for words, value in (("a model", self.model), ("a name", self.monitor), ("a measure", self.measure)) if not value]

    @property
    def definition(self) -> dict[str, Any]:
        """The definition as the grammar has it. What is not filled in is left out; what is wrong stays as it was written, so that the grammar says why."""
        found: dict[str, Any] = {"monitor": self.monitor, "model": self.model, "measure": self.measure}
        for name in ("columns", "segments"):
            if given := [part.strip() for part in getattr(self, name).split(",") if part.strip()]:
                found[name] = given
        target = TARGETS[self.target][1] if self.target in TARGETS else {"window": self.target}
        if self.timezone:
            target = {"window": "daily", **({} if self.target == "1d" else target), "timezone": self.timezone}
        found["target"] = target
        if self.baseline:
            found["baseline"] = BASELINES[self.baseline][1] if self.baseline in BASELINES else self.baseline
        found |= {name: _limit(value) for name in ("warn", "critical") if (value := getattr(self, name))}
        if many := self.min_samples.strip():
            found["min_samples"] = int(many) if many.isascii() and many.isdigit() and len(many) <= _LONGEST else many
        found |= {name: value for name in ("persist", "severity") if (value := getattr(self, name))}
        return found

    @property
    def tried_over(self) -> int:
        """How much time before the last event the monitor is tried on: a year where 90 days may hold no whole window."""
        return (366 if self.target in {"monthly", "quarterly", "year_to_date"} else 90) * moment.DAY


SEVERITIES = [("", "ticket"), *((one.value, one.value) for one in Severity if one is not Severity.TICKET)]


_FIELDS = {
    "name",
    "model",
    "measure",
    "columns",
    "segments",
    "window",
    "baseline",
    "warn",
    "critical",
    "min_samples",
    "persist",
    "severity",
}
_WRITTEN = {"other": "b"}  # where a definition has another name
_COUNTED = {"challengers", "share", "revision", "since"}  # which no definition has


def left_out(held: Monitor) -> list[str]:
    """The fields of a stored monitor that the form does not have and that are not the usual ones."""
    usual = Monitor(name="", model="", measure="")
    elsewhere = (name for name in Monitor.__struct_fields__ if name not in _FIELDS | _COUNTED)
    return [_WRITTEN.get(name, name) for name in elsewhere if getattr(held, name) != getattr(usual, name)]


def as_yaml(definition: Mapping[str, Any]) -> str:
    """A definition as a file of one monitor.

    >>> print(as_yaml({"monitor": "a", "columns": ["x", "12:30"], "target": {"window": "1d"}, "warn": 0.1}))
    - monitor: a
      columns: [x, "12:30"]
      target: {window: "1d"}
      warn: 0.1
    >>> as_yaml({"params": {"costs": {"a: b>c": 1}}})
    '- params: {costs: {"a: b>c": 1}}'
    """
    return "\n".join(f"{'- ' if not place else '  '}{name}: {_flow(value)}" for place, (name, value) in enumerate(definition.items()))


def _flow(value: Any) -> str:
    """A value in one line: texts in quotes unless they are plain in every version of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(name))}: {_flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value not in _WORDS else plain_json(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value)


def _limit(written: str) -> Any:
    """A threshold: a number, or `above 12` and `below 0.8`; as it is written, if it is neither."""
    found = _LIMIT.match(written)
    if found is None:
        return written
    number = float(found[2])
    return {found[1]: number} if found[1] else number
