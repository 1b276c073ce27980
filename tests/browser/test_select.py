"""What is dragged over the map of segments is a selection, which is in the address and is compared with the rest; the bar is kept over the tabs."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Window

pytestmark = pytest.mark.browser

MODEL = "/ui/models/departs-late"
# Where a cell is on the screen: the middle of a day, and of a row.
CELL = """([day, row]) => {
  const gd = document.querySelector('#cells .js-plotly-plot, #cells.js-plotly-plot'), { xaxis, yaxis } = gd._fullLayout, box = gd.querySelector('.nsewdrag').getBoundingClientRect();
  return [box.left + xaxis.d2p(`${day} 12:00`), box.top + yaxis.l2p(row)]; }"""


def query(tab: Window) -> dict[str, str]:
    """The state in the address."""
    return {key: values[0] for key, values in parse_qs(urlsplit(tab.page.url).query).items()}


def test_a_brush_over_the_map_of_segments_selects_its_cells(tab: Window) -> None:
    """Whole cells, named by their segments and windows; the map keeps its ranges; a click selects one cell, and the chip takes the selection away."""
    tab.open(f"{MODEL}/segments?range=30d&by=carrier")
    tab.page.locator("#cells .main-svg").first.wait_for()
    tab.drawn()
    tab.page.locator("#cells").scroll_into_view_if_needed()
    rows = tab.page.evaluate("() => document.querySelector('#cells .js-plotly-plot, #cells.js-plotly-plot').layout.meta.rows")
    ranges = "() => { const { xaxis, yaxis } = document.querySelector('#cells .js-plotly-plot, #cells.js-plotly-plot').layout; return JSON.stringify([xaxis.range, yaxis.range]); }"
    whole = tab.page.evaluate(ranges)
    (left, top), (right, low) = (tab.page.evaluate(CELL, cell) for cell in (["2013-12-10", 1], ["2013-12-14", 3]))
    tab.page.mouse.move(left, top)
    tab.page.mouse.down()
    tab.page.mouse.move((left + right) / 2, (top + low) / 2, steps=4)
    tab.page.mouse.move(right, low, steps=4)
    tab.page.mouse.up()
    expect(tab.page.locator("main")).to_contain_text("The selection and the rest")
    tab.drawn()
    assert json.loads(query(tab)["cells"]) == ["2013-12-10T00:00:00Z", "2013-12-15T00:00:00Z", *rows[1:4]]
    assert tab.page.evaluate(ranges) == whole
    tab.page.locator("#cells").scroll_into_view_if_needed()
    x, y = tab.page.evaluate(CELL, ["2013-12-20", 2])
    tab.page.mouse.move(x - 3, y)
    tab.page.mouse.move(x, y)
    tab.page.locator("#cells .hoverlayer > g").first.wait_for(state="attached")
    tab.page.mouse.click(x, y)
    tab.page.wait_for_function("() => location.search.includes('2013-12-20')")
    tab.drawn()
    assert json.loads(query(tab)["cells"]) == ["2013-12-20T00:00:00Z", "2013-12-21T00:00:00Z", rows[2]]
    wide = "() => document.querySelector('#cells .js-plotly-plot, #cells.js-plotly-plot')._fullLayout._size.w"
    before = tab.page.evaluate(wide)
    for width, holds in (
        (390, "size < before"),
        (1280, "size === before"),
    ):  # a telephone that is turned: the scale moves, and leaves nothing behind
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.wait_for_function(f"(before) => {{ const size = ({wide})(); return {holds}; }}", arg=before, polling=100)
    tab.page.get_by_role("link", name="Remove Selected").click()
    expect(tab.page.locator("main")).not_to_contain_text("The selection and the rest")
    tab.drawn()
    assert query(tab) == {"range": "30d", "by": "carrier"}


def test_the_bar_is_kept_over_the_tabs(tab: Window) -> None:
    """Segment, version, baseline and period are chips on each tab, and what a page alone has is not."""
    kept = {"segment": "carrier=UA", "version": "1", "baseline": "previous", "from": "2013-11-01T00:00:00Z"}
    tab.open(f"{MODEL}/drift?segment=carrier%3DUA&version=1&baseline=previous&from=2013-11-01T00:00:00Z&find=temp")
    for name in ("Performance", "Segments", "Events", "Compare", "Overview"):
        tab.page.get_by_role("navigation", name="Pages of this model").get_by_role("link", name=name, exact=True).click()
        expect(tab.page.locator(".tabs [aria-current]").first).to_have_text(name)
        tab.drawn()
        assert query(tab) == kept
        chips = tab.page.locator(".kept .chips")
        for said in ("carrier=UA", "Version 1", "the window before", "Period"):
            expect(chips).to_contain_text(said)
    tab.page.get_by_role("link", name="Remove Version 1").click()
    expect(tab.page.locator(".kept .chips")).not_to_contain_text("Version")


def test_this_week_is_compared_with_another_segment_by_clicks(tab: Window) -> None:
    """The choice of side B is in the address; Back takes it away."""
    tab.open(f"{MODEL}/compare?target=1d")
    expect(tab.page.locator("main")).to_contain_text("A: All traffic, 2013-12-30. B: All traffic, 2013-12-29.")
    tab.drawn()
    tab.page.get_by_role("textbox", name="Segment of B").click()
    tab.page.get_by_role("option", name="carrier=UA", exact=True).click()
    expect(tab.page.locator("main")).to_contain_text("B: carrier=UA, 2013-12-30.")
    tab.drawn()
    assert query(tab) == {"target": "1d", "b_segment": "carrier=UA"}
    tab.page.go_back()
    expect(tab.page.locator("main")).to_contain_text("B: All traffic, 2013-12-29.")
    tab.drawn()
