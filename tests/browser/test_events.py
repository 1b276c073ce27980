"""The way from an episode to the single event, and the grid of events."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core import moment
from tests.browser.conftest import Served, Window
from tests.dashboard.year import DAYS, START

pytestmark = pytest.mark.browser


def address(tab: Window) -> str:
    """The address, which follows the page once it is drawn."""
    tab.page.wait_for_function("() => !document.querySelector(':root[data-busy]')")
    return tab.page.url.removeprefix(tab.url)


def test_three_clicks_from_the_episode_to_the_single_event(tab: Window, served: Served) -> None:
    """Column, bin, row: the events are those of the window and the bin; the steps through the list and the way back to the episode stay; Back retraces."""
    last = START + (DAYS - 1) * moment.DAY
    one = next(one for one in served.reader.episodes("open", None, 5000) if one.model == "departs-late" and one.column)
    tab.open(f"/ui/models/departs-late/columns/temp?window={moment.text(last)}&range=7d&episode={one.id}")
    tab.page.locator("table").get_by_role("link", name="null").first.click()
    expect(tab.page.locator(".chips").filter(has_text="temp")).to_contain_text("is null")
    expect(tab.page.locator(".ag-row a").first).to_be_visible()
    tab.drawn()
    assert "column=temp&value=null" in address(tab)
    listed = address(tab)
    row = tab.page.locator(".ag-row a").first
    name = row.inner_text()
    row.click()
    expect(tab.page.locator("h1")).to_have_text(name)
    tab.drawn()
    expect(tab.page.locator("table").first.locator("tbody tr").first).to_contain_text("null")
    tab.page.get_by_role("link", name="After").click()
    expect(tab.page.locator("h1")).not_to_have_text(name)
    tab.drawn()
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_have_text(name)
    tab.drawn()
    tab.page.go_back()
    expect(tab.page.locator(".ag-row a").first).to_have_text(name)
    assert address(tab) == listed
    tab.page.get_by_role("link", name="Back to the episode").click()
    assert address(tab) == f"/ui/alerts/{one.id}"
    tab.drawn()


def test_the_grid_of_events_is_filled_while_one_scrolls_and_made_again_for_another_filter(tab: Window) -> None:
    """The last event is reached by scrolling, the keyboard opens an event, and another order shows other rows."""
    tab.open("/ui/models/departs-late/events?range=7d")
    expect(tab.page.locator(".ag-row a").first).to_have_text("flight/0000")
    body = tab.page.locator(".ag-body-viewport, .ag-grid-viewport, .ag-body").first
    for _ in range(40):
        body.hover()
        tab.page.mouse.wheel(0, 2_000)
        tab.page.wait_for_timeout(100)
        if tab.page.get_by_role("link", name="flight/0249").count():
            break
    expect(tab.page.get_by_role("link", name="flight/0249")).to_be_visible()
    tab.page.get_by_role("link", name="Oldest").click()
    expect(tab.page.locator(".ag-row[row-index='0'] a")).to_have_text("flight/0249")
    tab.drawn()
    tab.page.locator(".ag-row[row-index='1'] .ag-cell").first.click(position={"x": 150, "y": 10})
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("h1")).to_have_text("flight/0248")
    tab.drawn()
