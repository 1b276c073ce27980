"""The list of monitors, and what an empty installation shows in place of the inbox."""

from __future__ import annotations

import msgspec
import pytest

from core import moment
from core.monitor import Budget
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Empty, Twin


async def test_an_empty_installation_says_how_the_first_event_is_sent_and_when_it_has_come() -> None:
    """By each way; a model without a contract is named with what waits of it."""
    empty = Empty()
    empty.waiting = dict  # type: ignore[method-assign]
    shown = text(await page(empty, "/ui/", ""))
    assert all(said in shown for said in ("Waiting for it", "curl -sS", "watchkeeper.Client()", "confluent_kafka", "watchkeeper demo"))
    empty.waiting = lambda: {"<b>": 3}  # type: ignore[method-assign]
    come = text(await page(empty, "/ui/", ""))
    assert "Arrived" in come
    assert "Waiting for it" not in come
    assert "3 events wait for a contract" in come


async def test_the_list_of_monitors_says_when_each_was_evaluated_and_what_it_used() -> None:
    """Those that fire first; filters by state and model are in the address."""
    twin = Twin()
    shown = text(await page(twin, "/ui/monitors", ""))
    assert shown.index('"input-drift"') < shown.index('"accuracy"')
    assert "2014-01-01 00:01" in shown
    paused = text(await page(twin, "/ui/monitors", "?state=paused"))
    assert "No such monitor" in paused
    assert "none of firing, watching, paused, silent" in text(await page(twin, "/ui/monitors", "?state=odd"))
    own = text(await page(twin, "/ui/monitors", "?model=arrival-delay&state=firing"))
    assert "1 monitor" in own
    budgeted = Twin()
    budgeted._monitors = {
        model: [msgspec.structs.replace(one, warn=None, critical=None, budget=Budget(1, 30 * moment.DAY)) for one in of]
        for model, of in budgeted._monitors.items()
    }
    assert "3 of 1 per 30d" in text(await page(budgeted, "/ui/monitors", ""))


async def test_baselines_of_all_monitors_are_one_page() -> None:
    """With what they leave out, which monitors compare with them, and where the references are."""
    twin = Twin()
    gone = ((moment.parse("2013-02-02T00:00:00Z"), moment.parse("2013-02-03T00:00:00Z")),)
    twin._monitors = {model: [msgspec.structs.replace(one, exclude=gone) for one in of] for model, of in twin._monitors.items()}
    shown = text(await page(twin, "/ui/baselines", ""))
    assert all(said in shown for said in ("the reference", "2013-02-02", "departs-late: ", "/ui/models/arrival-delay/contracts"))
    none = text(await page(Empty(), "/ui/baselines", ""))
    assert "No monitor compares with anything" in none


async def test_baselines_of_many_monitors_name_some_and_count_the_others() -> None:
    """Of their spans, too; only the contracts of models are read for it."""
    twin = Twin()
    (one, *_), day = twin.monitors(None), moment.DAY
    many = [msgspec.structs.replace(one, name=f"n{at}", exclude=((at * day, (at + 1) * day),)) for at in range(2_000)]
    twin._monitors, twin.failing = {one.model: many}, {"models"}
    shown = text(await page(twin, "/ui/baselines", ""))
    assert shown.count("and 1,994 more") == 2
    assert ("1970-01-06" in shown, "1970-01-09" in shown) == (True, False)


async def test_the_overview_says_what_is_watched_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a family with its monitors, a way to watch what is not, and the definitions of all as YAML. If it fails the rest is there."""
    shown = text(await page(Twin(), "/ui/models/departs-late", ""))
    assert "What is watched: " in shown
    assert "Not watched. " in shown
    assert "/ui/monitor?model=departs-late&monitor=service-1&measure=service.throughput" in shown
    assert "- monitor: input-drift" in shown
    monkeypatch.setattr("dashboard.pages.watched.definition", None)
    shown = text(await page(Twin(), "/ui/models/departs-late", ""))
    assert "Watched could not be drawn" in shown
    assert "Drift could not be drawn" not in shown
