"""The form of a monitor: what its fields make, and what the page says of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dashboard.monitor_form import MonitorForm, as_yaml
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

FILLED = "?model=departs-late&monitor=temp-moves&measure=drift.psi&columns=temp&warn=0.1&severity=page"


def made(**fields: str) -> dict[str, Any]:
    """The definition of a form with these fields beside the least."""
    return MonitorForm(model="m", monitor="a", **fields).definition


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, {"measure": "drift.psi", "target": {"window": "1d"}}),
        ({"columns": " x, y ,", "segments": "all,a*b"}, {"columns": ["x", "y"], "segments": ["all", "a*b"]}),
        ({"target": "weekly", "timezone": "Europe/Rome"}, {"target": {"window": "weekly", "timezone": "Europe/Rome"}}),
        ({"timezone": "Asia/Kolkata"}, {"target": {"window": "daily", "timezone": "Asia/Kolkata"}}),
        ({"target": "2w"}, {"target": {"window": "2w"}}),
        ({"baseline": "same-weekday"}, {"baseline": {"same_weekday": 3}}),
        ({"warn": "0.1", "critical": " below 0.8"}, {"warn": 0.1, "critical": {"below": 0.8}}),
        ({"warn": "above -2", "min_samples": "50", "persist": "2 of 3"}, {"warn": {"above": -2.0}, "min_samples": 50, "persist": "2 of 3"}),
        ({"warn": "much", "min_samples": "few"}, {"warn": "much", "min_samples": "few"}),
    ],
)
def test_fields_make_a_definition(fields: dict[str, str], wanted: dict[str, Any]) -> None:
    """What is empty is left out, and what is wrong is kept for the grammar to refuse."""
    found = made(**fields)
    assert {name: found[name] for name in wanted} == wanted
    assert found.keys() == {"monitor", "model", "measure", "target", *wanted}


@pytest.mark.parametrize(
    "name", ["fare-drift", "a: b", "no", "12:30", "0123", "- x", "#x", 'q"\n', "ünï", "{x}", "@prediction", "1e3", "~"]
)
def test_the_yaml_is_the_definition(name: str) -> None:
    """Whatever names hold."""
    definition = made(columns=name, warn="below 0.8", target="weekly", timezone="America/New_York") | {"monitor": name}
    assert yaml.safe_load(as_yaml(definition)) == [definition]


async def test_the_form_shows_what_a_monitor_would_have_raised_and_where_that_goes() -> None:
    """With its YAML and the button that applies it, which asks first."""
    shown = text(await page(Twin(), "/ui/monitor", FILLED))
    assert "columns: [temp]" in shown
    assert "severity: page" in shown
    assert "goes to: oncall. It escalates to boss." in shown
    assert "at most 1.5" in shown
    assert "The last 10 episodes are listed" in shown
    assert '"data-act": "/v1/apply"' in shown
    assert '"data-dry": "true"' in shown


async def test_a_form_that_is_not_whole_or_wrong_has_no_button() -> None:
    """It says what is missing, or what is wrong."""
    for search, said in (
        ("", "Fill in a model, a name."),
        ("?model=departs-late", "Fill in a name."),
        ("?model=nobody&monitor=a", "'nobody' is none"),
        (f"{FILLED}&warn=much", "`warn: much` is no threshold"),
    ):
        shown = text(await page(Twin(), "/ui/monitor", search))
        assert said in shown
        assert "/v1/apply" not in shown
