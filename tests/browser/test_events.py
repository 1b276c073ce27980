"""The grid of events in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Window

pytestmark = pytest.mark.browser


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
