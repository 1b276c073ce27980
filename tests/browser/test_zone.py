"""Charts are in UTC whatever the browser's zone is: what they draw, what a click opens, what a brush selects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Served, Window, window

pytestmark = pytest.mark.browser

# Summer time ends in New York on 2013-11-03 and begins in Auckland on 2013-09-29.
ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
AUTUMN = "?from=2013-09-20T00:00:00Z&to=2013-11-10T00:00:00Z"
TICKS = "(id) => [...document.querySelectorAll(`#${id} .xtick text, #${id} .xaxislayer-above text`)].map((tick) => tick.textContent)"
# Where an hour of the day, noon if none is given, is on the screen; asked of plotly's own axis.
MIDDLE = """([id, start, hour = 12]) => {
  const gd = document.querySelector(`#${id} .js-plotly-plot, #${id}.js-plotly-plot`), axis = gd._fullLayout.xaxis, box = gd.querySelector('.nsewdrag').getBoundingClientRect();
  return [box.left + axis.d2p(start.slice(0, 10) + ` ${hour}:00`), box.top + box.height / 2]; }"""


def query(tab: Window) -> dict[str, str]:
    """The state in the address."""
    return {key: values[0] for key, values in parse_qs(urlsplit(tab.page.url).query).items()}


def ticks(page: Page, chart: str) -> list[str]:
    """The words along the time axis."""
    found: list[str] = page.evaluate(TICKS, chart)
    return found


@pytest.fixture(scope="module")
def words(browser: Browser, served: Served) -> dict[str, list[str]]:
    """The words along the axes of a browser in UTC."""
    with window(browser, served, zone="UTC") as tab:
        tab.open(f"/ui/models/departs-late{AUTUMN}")
        return {chart: ticks(tab.page, chart) for chart in ("performance", "drift")}


@pytest.fixture(scope="module", params=ZONES)
def zoned(browser: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Window]:
    """A tab in each zone: one for both tests, which load their pages anew."""
    with window(browser, served, zone=request.param) as tab:
        yield tab


def test_a_click_opens_the_window_that_was_clicked_in_every_zone(zoned: Window, words: dict[str, list[str]]) -> None:
    """On the days around both changes of the clock, in the line chart and in the heat map; ticks are those of UTC, and the axis says so."""
    zoned.open(f"/ui/models/departs-late{AUTUMN}")
    for chart in ("performance", "drift"):
        assert ticks(zoned.page, chart) == words[chart]
        assert len(words[chart]) > 3
        assert all(re.match(r"\d\d? [A-Z][a-z]{2}", said) for said in words[chart])  # as the text beside it writes dates
        assert zoned.page.locator(f"#{chart} .xtitle").text_content() == "UTC"
    for chart, start in (
        ("performance", "2013-11-03T00:00:00Z"),
        ("drift", "2013-09-29T00:00:00Z"),
        ("performance", "2013-10-15T00:00:00Z"),
    ):
        zoned.page.locator(f"#{chart}").scroll_into_view_if_needed()
        x, y = zoned.page.evaluate(MIDDLE, [chart, start, 21 if chart == "drift" else 12])  # a cell is as wide as its window
        zoned.page.mouse.move(x - 3, y)
        zoned.page.mouse.move(x, y)
        zoned.page.locator(f"#{chart} .hoverlayer > g").first.wait_for(state="attached")
        zoned.page.mouse.click(x, y)
        expect(zoned.page.locator(".chips")).to_contain_text(f"{start[:10]}")
        zoned.drawn()
        assert query(zoned)["window"] == start
        expect(zoned.page.locator(".card").filter(has=zoned.page.locator("#performance"))).to_contain_text(
            f"Window of {start[:10]}, as chosen"
        )


def test_a_brush_chooses_the_period_in_every_zone(zoned: Window) -> None:
    """What is dragged over a chart is in the address in UTC and drawn alone, values are not cut; two clicks bring all back."""
    zoned.open("/ui/models/departs-late?range=365d")
    (left, y), (right, _) = (zoned.page.evaluate(MIDDLE, ["performance", day]) for day in ("2013-10-20", "2013-11-10"))
    zoned.page.mouse.move(left, y)
    zoned.page.mouse.down()
    zoned.page.mouse.move((left + right) / 2, y + 40, steps=4)
    zoned.page.mouse.move(right, y + 60, steps=4)
    zoned.page.mouse.up()
    expect(zoned.page.locator(".chips")).to_contain_text("Period")
    zoned.drawn()
    chosen = query(zoned)
    assert (chosen["from"][:10], chosen["to"][:10]) == ("2013-10-20", "2013-11-10")
    for chart in ("performance", "drift"):
        shown = zoned.page.evaluate("(id) => document.querySelector(`#${id} .js-plotly-plot`).layout.xaxis.range", chart)
        assert shown == ["2013-10-20T00:00:00Z", "2013-11-11T00:00:00Z"]
    assert zoned.page.evaluate("() => document.querySelector('#performance .js-plotly-plot')._fullLayout.yaxis.range[1]") > 0.86
    zoned.page.reload()
    zoned.drawn()
    assert query(zoned) == chosen
    x, y = zoned.page.evaluate(MIDDLE, ["performance", "2013-11-01"])
    zoned.page.mouse.dblclick(x, y)
    expect(zoned.page.locator(".chips")).not_to_contain_text("Period")
    zoned.drawn()
    assert set(query(zoned)) - {"window"} == {"range"}
