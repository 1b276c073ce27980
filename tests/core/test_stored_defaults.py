"""Episodes and what belongs to them are stored without what has its default (decision 68), so a row goes on to say what it said when it was written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.episode import Episode, Rule, Transition
from core.handling import Decision, Handling
from core.monitor import Monitor
from core.reading import Reading

_UNKNOWN = dict.fromkeys(("owner", "description", "runbook", "ended_at", "fired", "cause", "traffic_share"))
_NONE: dict[str, Any] = dict.fromkeys(("deliveries", "timeline", "changes", "retrains"), ())
STORED: dict[type[msgspec.Struct], dict[str, Any]] = {
    Episode: {**_UNKNOWN, **_NONE, "reopened": 0, "recorded": 0, "decision": Decision(), "handling": Handling()},
    Rule: {
        **dict.fromkeys(("level", "episode", "floor", "last", "told")),
        "definition": 1,
        "state": "normal",
        "windows": (),
        "contract": 0,
        "ended": 0,
    },
    Transition: {"recorded": 0, "cause": None},
    Reading: {
        **dict.fromkeys(("baseline", "value", "lower", "upper", "baseline_value", "n_baseline", "n_effective", "reason")),
        "version": "all",
        "params": {},
        "column": "",
        "segment": "all",
        "n_target": 0,
        "threshold": {},
        "evidence": {},
        **dict.fromkeys(("revision", "monitor_version", "contract"), 1),
    },
}


@pytest.mark.parametrize("stored", STORED, ids=lambda one: one.__name__)
def test_what_a_stored_row_leaves_out_has_the_value_that_it_always_had(stored: type[msgspec.Struct]) -> None:
    """A default that changes would change what rows say that were written before; a field that is added is given its line here."""
    held = {one.name: one.default_factory() if one.default is msgspec.NODEFAULT else one.default for one in _optional(stored)}
    assert held == STORED[stored]
    assert stored.__struct_config__.omit_defaults


def test_the_definition_of_an_episode_is_stored_whole() -> None:
    """Its defaults are choices that a later version may change."""
    assert not Monitor.__struct_config__.omit_defaults
    monitor = Monitor(name="drift", model="late", measure="drift.psi")
    assert set(msgspec.json.decode(msgspec.json.encode(monitor))) == set(Monitor.__struct_fields__)


def _optional(stored: type[msgspec.Struct]) -> list[Any]:
    return [one for one in msgspec.structs.fields(stored) if not one.required]
