"""The way from a column to the single event, and the grid of events."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served, Window

pytestmark = pytest.mark.browser


def address(tab: Window) -> str:
    """The address, which follows the page once it is drawn."""
    tab.page.wait_for_function("() => !document.querySelector(':root[data-busy]')")
    return tab.page.url.removeprefix(tab.url)


def test_from_a_bin_of_a_column_to_the_single_event_and_back(tab: Window, served: Served) -> None:
    """Bin, row: the events are those of the bin, in its window until that is taken away; the steps through the list and the way back to the episode stay; Back retraces.

    The twin has single events of its last days only, and the missing values of a column's bins in July.
    """
    one = next(one for one in served.reader.episodes("open", None, 5_000) if one.model == "departs-late" and one.column)
    tab.open(f"/ui/models/departs-late/columns/temp?window=2013-07-08T00:00:00Z&range=7d&episode={one.id}")
    tab.page.locator("table").get_by_role("link", name="null").first.click()
    expect(tab.page.locator(".chips").filter(has_text="temp")).to_contain_text("is null")
    tab.drawn()
    assert "from=2013-07-08T00:00:00Z&to=2013-07-09T00:00:00Z" in address(tab)
    tab.page.get_by_role("link", name="Remove Period").click()
    expect(tab.page.locator(".ag-row a").first).to_be_visible()
    tab.drawn()
    listed = address(tab)
    assert "column=temp&value=null" in listed
    assert "from=" not in listed
    row = tab.page.locator(".ag-row a").first
    name = row.inner_text()
    row.click()
    expect(tab.page.locator("h1")).to_have_text(name)
    tab.drawn()
    expect(tab.page.locator("table").first.locator("tbody tr").first).to_contain_text("null")
    tab.page.get_by_role("link", name="Next in the list").click()
    expect(tab.page.locator("h1")).not_to_have_text(name)
    tab.drawn()
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_have_text(name)
    tab.drawn()
    tab.page.go_back()
    expect(tab.page.locator(".ag-row a").first).to_have_text(name)
    assert address(tab) == listed
    tab.page.get_by_role("link", name="Back to the episode").click()
    tab.drawn()
    assert address(tab) == f"/ui/alerts/{one.id}"


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
