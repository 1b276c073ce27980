"""The grammar of comparisons."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.baseline.rows import Role, Version
from core.error import ConfigError
from core.monitor import Monitor
from core.monitor_document import document
from monitors.definition.grammar import parse
from tests.monitors.contracts import CONTRACTS, DELAY, FARE

_BINARY = next(one for one in (DELAY, FARE) if one.task == "binary")
_SIDES: dict[str, Any] = {"a": {"version": "1"}, "b": {"role": "shadow"}}


def read(**fields: Any) -> Monitor:
    """A comparison as it is written."""
    written = {"monitor": "x", "model": _BINARY.model, "measure": "compare.difference", **_SIDES, "params": {"of": "performance.accuracy"}}
    return parse(json.dumps([written | fields]), contract=CONTRACTS.get).monitors[0]


def test_a_comparison_reads_back_as_itself() -> None:
    """The sides are `a` and `b`, the params of the measure are filled in, and what the API shows can be applied."""
    found = read(params={"of": {"measure": "performance.fbeta", "params": {"beta": 2}}, "margin": 0.01})
    assert (found.baseline, found.other) == (Version("1"), Role("shadow"))
    assert found.params["of"]["params"]["beta"] == 2
    shown = {name: value for name, value in document(found).items() if name not in {"revision", "share"}}
    assert (shown["a"], shown["b"], shown["baseline"]) == (_SIDES["a"], _SIDES["b"], None)
    assert parse(json.dumps([shown]), contract=CONTRACTS.get).monitors == (found,)
    assert read().params["of"] == "performance.accuracy"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"b": None}, "the side is missing"),
        ({"b": {"version": "1"}}, "are the same"),
        ({"b": {"arm": "x"}}, "is no side"),
        ({"warn": 0.1}, "takes no `warn`"),
        ({"version": "2"}, "takes no `version`"),
        ({"baseline": "reference"}, "takes no `baseline`"),
        ({"target": {"window": "2d", "every": "1d"}}, "overlap"),
        ({"params": {}}, "of"),
        ({"params": {"of": "performance.accurcy"}}, "did you mean `performance.accuracy`"),
        ({"params": {"of": "drift.psi"}}, "cannot be compared"),
        ({"params": {"of": "performance.mae"}}, "not for binary models"),
        ({"params": {"of": "quality.null_rate"}}, "is of a column"),
        ({"params": {"of": "drift.domain_classifier"}}, "cannot be compared"),
        ({"params": {"of": {"measure": "fairness.equalized_odds_difference", "column": "nobody"}}}, "there is no segment `nobody`"),
        ({"params": {"of": {"measure": "performance.accuracy", "parms": {}}}}, "unknown field"),
        ({"params": {"of": "performance.accuracy", "margin": -1}}, "margin"),
        ({"measure": "performance.accuracy", "params": {}}, "only a comparison has sides"),
    ],
)
def test_what_cannot_be_compared_is_refused(fields: dict[str, Any], why: str) -> None:
    """With what is wrong."""
    with pytest.raises(ConfigError, match=why):
        read(**fields)
