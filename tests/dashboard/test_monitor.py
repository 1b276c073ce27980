"""The form of a monitor: what its fields make, and what the page says of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
import yaml
from plotly.io.json import to_json_plotly

from core import moment
from core.baseline.rows import Version
from core.monitor import Gate
from core.trial import Trial
from dashboard import late
from dashboard.monitor_form import MonitorForm, as_yaml
from dashboard.ports import Goes
from dashboard.route import page
from dashboard.site import LATE
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
        ({"min_samples": " 50 "}, {"min_samples": 50}),
        ({"min_samples": "9" * 5_000}, {"min_samples": "9" * 5_000}),  # Python makes no number of it
    ],
)
def test_fields_make_a_definition(fields: dict[str, str], wanted: dict[str, Any]) -> None:
    """What is empty is left out, and what is wrong is kept for the grammar to refuse."""
    found = made(**fields)
    assert {name: found[name] for name in wanted} == wanted
    assert found.keys() == {"monitor", "model", "measure", "target", *wanted}


@pytest.mark.parametrize(
    "name", ["fare-drift", "a: b", "no", "12:30", "0123", "- x", "#x", 'q"\n', "ünï", "{x}", "@prediction", "1e3", "~",
     "a\u0085b", "a \u2028b", "\x7f", "\x9b", "\ufeffa", "🙂"],
)  # fmt: skip
def test_the_yaml_is_the_definition(name: str) -> None:
    """Whatever names hold."""
    definition = made(columns=name, warn="below 0.8", target="weekly", timezone="America/New_York") | {"monitor": name}
    assert yaml.safe_load(as_yaml(definition)) == [definition]


async def tried(twin: Twin, search: str) -> str:
    """What comes after the form."""
    return json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["trial", search])))), ensure_ascii=False)


async def test_the_form_shows_what_a_monitor_would_have_raised_and_where_that_goes() -> None:
    """With its YAML and the button that applies it, which asks first. The back-test, which takes seconds, keeps nobody from writing on."""
    twin = Twin()
    shown = text(await page(twin, "/ui/monitor", FILLED))
    assert "columns: [temp]" in shown
    assert "severity: page" in shown
    assert ("/v1/apply" in shown, "What it would have raised" in shown) == (False, False)
    assert f'[\\"trial\\", \\"{FILLED}\\"]' in shown.replace('\\\\"', '\\"')
    later = await tried(twin, FILLED)
    assert "goes to: oncall. It escalates to boss." in later
    assert "at most 1.5" in later
    assert "over the last 90 days of events. The last 10 episodes are listed" in later
    assert "carrier=a,<b>11" in later
    assert '"data-act": "/v1/apply"' in later
    assert '"data-dry": "true"' in later
    assert "over the last 366 days" in await tried(twin, f"{FILLED}&target=quarterly")
    twin.would_go = lambda monitor: Goes(monitor["model"], monitor["monitor"], "ticket", (), (), "there is no destination", "")  # type: ignore[method-assign]
    assert "An episode of severity ticket goes nowhere: there is no destination." in await tried(twin, FILLED)


async def test_a_form_that_is_not_whole_or_wrong_has_no_button() -> None:
    """It says what is missing, or what is wrong."""
    for search, said in (
        ("", "Fill in a model, a name."),
        ("?model=departs-late", "Fill in a name."),
        ("?model=nobody&monitor=a", "'nobody' is none"),
    ):
        shown = text(await page(Twin(), "/ui/monitor", search))
        assert said in shown
        assert '"trial' not in shown.replace("\\", "")
    wrong = await tried(Twin(), f"{FILLED}&warn=much")
    assert ("`warn: much` is no threshold" in wrong, "/v1/apply" in wrong) == (True, False)
    assert await tried(Twin(), "?model=nobody&monitor=a") == "null"


async def test_a_monitor_that_is_there_is_not_changed_without_a_word() -> None:
    """The form and the question before applying say so, and name the fields that the form does not have and that would be lost."""
    twin = Twin()
    (one, *others) = twin.monitors("departs-late")
    held = msgspec.structs.replace(
        one, name="temp-moves", owner="ada", gate=Gate.EVIDENCE, exclude=((0, moment.DAY),), other=Version("2"), enabled=False
    )
    twin._monitors = {"departs-late": [held, *others]}
    lost = "goes back to what is usual: owner, exclude, b, gate, enabled."
    assert lost in text(await page(twin, "/ui/monitor", FILLED))
    assert lost in (await tried(twin, FILLED)).partition('"data-effect": ')[2]
    other = FILLED.replace("temp-moves", "temp-stays")
    assert "There is a monitor of this name" not in text(await page(twin, "/ui/monitor", other)) + await tried(twin, other)


async def test_back_tests_leave_threads_for_all_else() -> None:
    """Two run at a time, however many people fill in the form."""
    twin, lock, pair, now, most = Twin(), threading.Lock(), threading.Barrier(2, timeout=300), [0], [0]
    backtest = twin.backtest

    def counted(trial: Trial) -> Mapping[str, Any]:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        pair.wait()  # until there is another one
        with lock:
            now[0] -= 1
        return backtest(trial)

    twin.backtest = counted  # type: ignore[method-assign]
    drawn = await asyncio.gather(*(tried(twin, FILLED) for _ in range(6)))
    assert most == [2]
    assert all("What it would have raised" in one for one in drawn)
