"""What a person does on the pages: follows links, goes back, filters, zooms, switches the theme, waits for changes; and what they see when a part fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core import moment
from tests.browser.conftest import Served, Window, window

pytestmark = pytest.mark.browser

MODEL = "/ui/models/departs-late"
ZOOM = "() => document.querySelector('#performance .js-plotly-plot, #performance.js-plotly-plot').layout.xaxis.range.map(String)"


def _path(tab: Window) -> str:
    """The address, which follows the page once it is drawn."""
    tab.page.wait_for_function("() => !document.querySelector(':root[data-busy]')")
    return tab.page.url.removeprefix(tab.url)


def test_one_click_each_from_the_inbox_to_the_column_and_back(tab: Window) -> None:
    """The inbox leads to the episode, it to the column in its window; Back retraces every step."""
    tab.open("/ui/")
    tab.page.locator("article.episode h2 a").first.click()
    expect(tab.page.locator("h1")).to_contain_text("Population stability index of dest")
    episode = _path(tab)
    assert episode.startswith("/ui/alerts/")
    tab.page.get_by_role("link", name="against its baseline").click()
    expect(tab.page.locator("h1")).to_have_text("dest")
    assert "window=2013-11-" in _path(tab)
    tab.drawn()
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_contain_text("Population stability index of dest")
    assert _path(tab) == episode
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_have_text("Inbox")
    tab.page.go_forward()
    expect(tab.page.locator("h1")).to_contain_text("Population stability index of dest")
    tab.drawn()
    assert tab.page.title().endswith("Watchkeeper")


def test_every_choice_is_in_the_address_and_can_be_undone(tab: Window) -> None:
    """Segment, period and measure land in the address; a chip, Back and the address itself bring each state back."""
    tab.open(MODEL)
    tab.page.get_by_role("textbox", name="Segment").click()
    tab.page.get_by_role("option", name="carrier=UA").click()
    expect(tab.page.locator(".chips")).to_contain_text("carrier=UA")
    assert _path(tab) == f"{MODEL}?segment=carrier%3DUA"
    tab.page.get_by_role("link", name="30 days").click()
    expect(tab.page.locator("[aria-label=Period] [aria-current]")).to_have_text("30 days")
    tab.page.get_by_role("link", name="ROC AUC").click()
    expect(tab.page.locator("[aria-label=Measure] [aria-current]").first).to_have_text("ROC AUC")
    tab.drawn()
    assert _path(tab) == f"{MODEL}?segment=carrier%3DUA&measure=performance.roc_auc&range=30d"
    tab.page.go_back()
    expect(tab.page.locator("[aria-label=Measure] [aria-current]").first).to_have_text("Accuracy")
    tab.page.get_by_role("link", name="Remove Segment carrier=UA").click()
    expect(tab.page.locator(".chips")).to_have_count(0)
    expect(tab.page.get_by_role("textbox", name="Segment")).to_have_value("All traffic")
    tab.drawn()
    assert _path(tab) == f"{MODEL}?range=30d"


def test_a_click_on_a_window_looks_at_it(tab: Window) -> None:
    """Clicking in the chart puts that window into the address, and the numbers follow; the browser's time zone changes nothing."""
    tab.open(f"{MODEL}?range=365d")
    box = tab.page.locator("#performance .nsewdrag").first.bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + box["width"] * 0.522, box["y"] + box["height"] * 0.5)
    tab.page.wait_for_function("() => document.querySelector('#performance .js-plotly-plot')._hoverdata?.length")  # what a click is of
    tab.page.mouse.click(box["x"] + box["width"] * 0.522, box["y"] + box["height"] * 0.5)
    expect(tab.page.locator(".chips")).to_contain_text(re.compile(r"2013-07-1\d"))
    tab.drawn()
    assert re.search(r"window=2013-07-1\dT", _path(tab))


def test_the_zoom_survives_news_and_falls_with_another_period(tab: Window, served: Served) -> None:
    """A refresh keeps the ranges that the reader chose; another period drops them."""
    tab.open(f"{MODEL}?range=365d")
    tab.page.evaluate(
        "() => Plotly.relayout(document.querySelector('#performance .js-plotly-plot'), {'xaxis.range': ['2013-05-01', '2013-06-01']})"
    )
    expect(tab.page.locator(".chips")).to_contain_text("Period from 2013-05-01 00:00 UTC to 2013-06-01 00:00 UTC")
    tab.drawn()
    zoomed = tab.page.evaluate(ZOOM)
    assert zoomed == ["2013-05-01T00:00:00Z", "2013-06-01T00:00:00Z"]
    with tab.page.expect_response(lambda answer: "_dash-update-component" in answer.url):
        served.version = "2"
        tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    tab.drawn()
    assert tab.page.evaluate(ZOOM) == zoomed
    tab.page.get_by_role("link", name="90 days").click()
    tab.page.wait_for_function(
        "() => document.querySelector('#performance .js-plotly-plot')?.layout?.xaxis.range.join() === '2013-10-03T00:00:00Z,2014-01-01T00:00:00Z'"
    )
    tab.drawn()


def test_the_theme_switches_page_and_charts_and_is_remembered(tab: Window) -> None:
    """One button turns the page and its charts dark; the next page is dark before it is drawn."""
    ground = "() => document.querySelector('.js-plotly-plot')._fullLayout.paper_bgcolor"
    tab.open(f"{MODEL}?range=30d")
    light = tab.page.evaluate(ground)
    tab.page.get_by_role("button", name="Switch between light and dark").click()
    tab.page.wait_for_function(f"() => ({ground})() !== '{light}'")
    tab.page.reload(wait_until="commit")
    tab.page.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    tab.drawn()
    assert tab.page.evaluate(ground) != light


@pytest.fixture
def broken(served: Served) -> Iterator[Served]:
    """A reader whose histograms fail."""
    served.reader.failing.add("histogram")
    yield served
    served.reader.failing.clear()


def test_a_failing_panel_leaves_the_rest_of_the_page(tab: Window, broken: Served) -> None:
    """One card says that it could not be drawn; the others are there."""
    tab.open(f"{MODEL}/columns/temp")
    expect(tab.page.locator(".card.error")).to_contain_text("Distribution could not be drawn")
    expect(tab.page.locator("#drift .main-svg").first).to_be_visible()


def test_the_export_of_a_chart_is_its_readings(tab: Window) -> None:
    """The CSV link gives the readings behind the chart, times in RFC 3339."""
    tab.open(f"{MODEL}?range=30d")
    with tab.page.expect_download() as asked:
        tab.page.get_by_role("link", name="CSV").first.click()
    lines = asked.value.path().read_text().splitlines()
    assert len(lines) == 31
    assert '"2013-12-02T00:00:00Z"' in lines[1]
    assert "performance.accuracy" in lines[1]
    # The browser calls every download an aborted request.
    tab.complaints = [complaint for complaint in tab.complaints if "export.csv" not in complaint]


def test_a_narrow_screen_scrolls_tables_and_not_the_page(browser: Browser, served: Served) -> None:
    """On a telephone nothing is wider than the screen, charts have the width of their card, and the state of a row is in sight."""
    with window(browser, served, size=(390, 844)) as tab:
        tab.open(f"{MODEL}?range=365d")
        assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= 390
        plot = tab.page.locator("#performance .nsewdrag").first.bounding_box()
        assert plot is not None
        assert plot["width"] > 250
        lines = "() => new Set([...document.querySelectorAll('#performance .legend .traces')].map((one) => Math.round(one.getBoundingClientRect().top))).size"
        assert tab.page.evaluate(lines) <= 3
        assert tab.page.locator("#health").inner_text() != ""
        judged = tab.page.locator("table:has(td.state)").all()
        assert judged
        for table in judged:
            state = table.locator("td.state .badge").first.bounding_box()
            assert state is not None
            assert state["x"] + state["width"] <= 390
        tab.open(f"{MODEL}?range=365d&segment=carrier%3DOO")
        entries = tab.page.locator("#performance .legend .traces").count()
        assert entries >= 4
        assert tab.page.evaluate(lines) <= (entries + 1) // 2
        tab.open("/ui/models")
        health = tab.page.locator("table .badge").first.bounding_box()
        assert health is not None
        assert health["x"] + health["width"] <= 390
        tab.open("/ui/models/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_windows_are_chosen_with_the_keyboard(tab: Window) -> None:
    """A link each to the window before and after, which keeps the focus: what a click in the chart does."""
    tab.open(f"{MODEL}?range=30d&window=2013-12-20T00:00:00Z")
    card = tab.page.locator(".card").filter(has=tab.page.locator("#performance"))
    earlier = card.get_by_role("link", name="Earlier")
    earlier.focus()
    for day in ("2013-12-19", "2013-12-18"):
        tab.page.keyboard.press("Enter")
        expect(card).to_contain_text(f"Window of {day}, as chosen")
        tab.drawn()
        assert f"window={day}T00:00:00Z" in _path(tab)
        expect(earlier).to_be_focused()


def test_the_slider_moves_the_cut_with_the_keyboard(tab: Window) -> None:
    """Each arrow is a bin: the address and the numbers follow, the slider keeps the focus, and back at its usual place nothing is left in the address."""
    tab.open(f"{MODEL}/performance?range=30d")
    slider = tab.page.get_by_role("slider", name="Score bin of the cut")
    card, usual = tab.page.locator(".card").filter(has=slider), int(slider.get_attribute("aria-valuenow") or "")
    slider.focus()
    for key, place in (("ArrowRight", usual + 1), ("ArrowRight", usual + 2), ("ArrowLeft", usual + 1), ("ArrowLeft", usual)):
        tab.page.keyboard.press(key)
        expect(card).to_contain_text(f"edge {place + 1} of")
        tab.drawn()
        assert _path(tab) == f"{MODEL}/performance?range=30d" if place == usual else f"bin={place}" in _path(tab)
        expect(slider).to_be_focused()


def test_the_page_performance_fits_a_telephone(browser: Browser, served: Served) -> None:
    """Of a classifier and of a regression: only tables scroll sideways."""
    with window(browser, served, size=(390, 844)) as tab:
        for address in (f"{MODEL}/performance", "/ui/models/arrival-delay/performance"):
            tab.open(address)
            assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_chart_of_an_episode_leads_to_the_window_and_zooms_in_its_address(tab: Window, served: Served) -> None:
    """A brush is the period of the chart and can be undone; a click opens the column in that window."""
    one = next(one for one in served.reader.episodes("closed", None, 5000) if one.column == "temp" and one.segment == "all")
    tab.open(f"/ui/alerts/{one.id}")
    chart = "document.querySelector('#measure .js-plotly-plot')"
    start, end = (moment.text(one.window_start + day * moment.DAY) for day in (-2, 2))
    tab.page.evaluate(f"() => Plotly.relayout({chart}, {{'xaxis.range': ['{start[:10]}', '{end[:10]}']}})")
    expect(tab.page.locator(".chips")).to_contain_text("Period")
    tab.drawn()
    assert tab.page.evaluate(f"() => {chart}.layout.xaxis.range") == [start, end]
    assert _path(tab) == f"/ui/alerts/{one.id}?from={start.replace(':', '%3A')}&to={end.replace(':', '%3A')}"
    x, y = tab.page.evaluate(
        f"() => {{ const box = {chart}.querySelector('.nsewdrag').getBoundingClientRect(); return [box.left + box.width * 0.625, box.top + 40]; }}"
    )
    tab.page.mouse.move(x - 2, y)
    tab.page.mouse.move(x, y)
    tab.page.locator("#measure .hoverlayer > g").first.wait_for(state="attached")
    tab.page.mouse.click(x, y)
    expect(tab.page.locator("h1")).to_have_text("temp")
    tab.drawn()
    assert f"window={moment.text(one.window_start)[:10]}" in _path(tab)
    tab.page.go_back()
    tab.page.get_by_role("link", name="Remove Period").click()
    expect(tab.page.locator(".chips")).to_have_count(0)
    tab.drawn()


def test_names_are_text_wherever_they_come_from(tab: Window) -> None:
    """A model called like a script is shown by its name, and nothing runs."""
    tab.open("/ui/models")
    tab.page.get_by_role("link", name="<script>").click()
    expect(tab.page.locator("h1")).to_have_text("<script>alert(1)</script>")
    tab.drawn()


def _news(tab: Window, served: Served, version: str) -> None:
    """Let something be new, and the page ask whether it is."""
    served.version = version
    with tab.page.expect_response(lambda answer: "_dash-update-component" in answer.url):
        tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


class _Held:
    """Requests of callbacks that are on their way and do not arrive."""

    def __init__(self, page: Page) -> None:
        self.page, self.routes = page, list[Route]()

    def take(self, route: Route) -> None:
        """Hold one."""
        self.routes.append(route)

    def wait(self) -> None:
        """Until there is one."""
        while not self.routes:
            self.page.wait_for_timeout(20)


@contextmanager
def _held(tab: Window) -> Iterator[_Held]:
    """Hold what pages ask for, and let it go at the end."""
    held = _Held(tab.page)
    tab.page.route("**/_dash-update-component*", held.take)
    yield held
    for route in held.routes:
        route.continue_()
    tab.page.unroute("**/_dash-update-component*")


@pytest.fixture
def moving(served: Served) -> Iterator[Served]:
    """A reader whose pages can change."""
    yield served
    served.reader.moved = False


def test_news_leaves_what_is_open_and_the_focus_where_they_are(tab: Window, moving: Served) -> None:
    """The page is drawn again only if something on it is new, and then what was open is open, scrolled and focused as before."""
    tab.open(f"{MODEL}?range=30d")
    summary = tab.page.locator("summary").nth(1)
    summary.click()
    link = tab.page.get_by_role("link", name="F1")
    link.focus()
    tab.page.evaluate("() => { document.querySelector('main section').drawnOnce = true; window.scrollTo(0, 400); }")
    for version, moved in (("same", False), ("moved", True)):
        moving.reader.moved = moved
        _news(tab, moving, version)
        tab.page.wait_for_function(f"() => Boolean(document.querySelector('main section').drawnOnce) === {str(not moved).lower()}")
        tab.drawn()
        assert tab.page.locator("details[open]").count() == 1
        assert tab.page.locator("details").nth(1).get_attribute("open") is not None
        expect(link).to_be_focused()
        assert tab.page.evaluate("() => window.scrollY") == 400


def test_news_waits_while_a_list_is_open(tab: Window, moving: Served) -> None:
    """An answer that comes while the reader looks through the list of segments is drawn when they have chosen or left."""
    tab.open(f"{MODEL}?range=30d")
    tab.page.evaluate("() => { document.querySelector('main section').drawnOnce = true; }")
    segment = tab.page.get_by_role("textbox", name="Segment")
    moving.reader.moved = True
    moving.version = "under a list"
    with _held(tab) as held:
        tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        held.wait()
        segment.click()
    expect(tab.page.get_by_role("option", name="carrier=UA")).to_be_visible()
    tab.page.wait_for_load_state("networkidle")
    assert tab.page.evaluate("() => document.querySelector('main section').drawnOnce")
    tab.page.keyboard.press("Escape")
    tab.page.wait_for_function("() => !document.querySelector('main section').drawnOnce")
    expect(segment).to_be_focused()
    tab.drawn()


def test_a_choice_is_marked_before_its_page_is_there(tab: Window) -> None:
    """While the answer is awaited: the choice is marked, the page is busy, and its address is still its own."""
    tab.open(MODEL)
    choice = tab.page.get_by_role("link", name="30 days")
    plain = choice.evaluate("(link) => getComputedStyle(link).fontWeight")
    with _held(tab) as held:
        choice.click()
        expect(tab.page.locator("main")).to_have_attribute("aria-busy", "true")
        assert choice.evaluate("(link) => getComputedStyle(link).fontWeight") != plain
        assert tab.page.locator("[aria-label=Period] [aria-current]").evaluate("(link) => getComputedStyle(link).fontWeight") == plain
        assert tab.page.evaluate("() => getComputedStyle(document.body, '::before').height") == "3px"
        assert tab.page.url == tab.url + MODEL
        held.wait()
    expect(tab.page.locator("[aria-label=Period] [aria-current]")).to_have_text("30 days")
    tab.drawn()
    assert tab.page.locator("main").get_attribute("aria-busy") is None
    assert _path(tab) == f"{MODEL}?range=30d"


def test_typing_a_segment_replaces_what_stood_there(tab: Window) -> None:
    """With the mouse and with the keyboard; the next stop of Tab is the next control."""
    tab.open(MODEL)
    segment = tab.page.get_by_role("textbox", name="Segment")
    segment.click()
    tab.page.keyboard.type("EV")
    expect(segment).to_have_value("EV")
    expect(tab.page.get_by_role("option")).to_have_text(["carrier=EV"])
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".chips")).to_contain_text("carrier=EV")
    tab.drawn()
    expect(segment).to_be_focused()
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("textbox", name="Version")).to_be_focused()
    tab.page.keyboard.press("Shift+Tab")
    expect(segment).to_be_focused()
    tab.page.keyboard.type("JFK")
    expect(segment).to_have_value("JFK")


def test_a_link_that_finds_the_session_over_is_where_the_log_in_leads(tab: Window) -> None:
    """What was chosen, not the page that it was chosen on."""
    tab.open(MODEL)
    tab.page.route(re.compile("_dash-update-component"), lambda route: route.fulfill(status=401, body="{}"))
    tab.page.route("**/login?*", lambda route: route.fulfill(content_type="text/html", body="<html lang=en><title>Log in</title></html>"))
    tab.page.get_by_role("group", name="Period").get_by_role("link", name="30 days").click()
    tab.page.wait_for_url("**/login?*")
    assert tab.page.url == f"{tab.url}/login?next=%2Fui%2Fmodels%2Fdeparts-late%3Frange%3D30d"
    tab.complaints = [complaint for complaint in tab.complaints if "401" not in complaint]
