"""The pages over the real server and a hundred and twenty days of the demo's flights: the pictures of the README are taken here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, expect

from core import moment
from dashboard import texts as word
from tests.browser import planted
from tests.browser.conftest import Shots, Window, window
from tests.browser.tour import tour
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.demo.server import DemoServer
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import send

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAYS = 120
SIZE = (1360, 900)  # of the pictures


@pytest.fixture(scope="module")
def server(pairs: tuple[flights.Pair, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A server that has evaluated the last days of both models under the demo's monitors."""
    with DemoServer(tmp_path_factory.mktemp("real") / "data") as server, Client(server.url) as client:
        for pair in pairs:
            client.reference(pair.model, pair.reference.read_bytes(), task=pair.task, segments=list(flights.SEGMENTS))
        client.apply((files("watchkeeper.demo") / "monitors.yaml").read_text(encoding="utf-8"))
        for pair in pairs:
            recording = Recording(pair.stream, document.read(client.contract(pair.model)), last=DAYS * moment.DAY)
            assert send(client, recording).rejected == 0
        client.wait(900)
        yield server


@pytest.fixture
def real(browser: Browser, server: DemoServer) -> Iterator[Window]:
    """A tab on the real server."""
    with window(browser, server, size=SIZE) as made:
        yield made


def test_the_inbox_and_an_episode_of_real_data(real: Window, shots: Shots) -> None:
    """Open episodes are in the inbox, and link to their pages with the measure over time."""
    real.open("/ui/")
    articles = real.page.locator("article.episode")
    assert articles.count() > 0
    shots.take(real.page, "inbox")
    articles.first.locator("h2 a").click()
    expect(real.page.locator(".crumbs")).to_be_visible()
    real.drawn()
    assert real.points("measure") > 10
    assert real.page.locator(".card.error").count() == 0
    assert real.page.locator(".life li").count() > 0
    shots.take(real.page, "episode", whole=True)


def test_the_fleet_leads_to_a_model_that_looks_at_a_judged_window(real: Window, shots: Shots) -> None:
    """The stream ends with a fragment of a day, which is too small to judge: the page looks at the last whole day and says so."""
    real.open("/ui/models")
    assert real.page.locator("tbody tr").count() == 2
    shots.take(real.page, "fleet")
    real.page.get_by_role("link", name="flight-arrival").click()
    expect(real.page.locator("h1")).to_have_text("flight-arrival")
    real.drawn()
    real.open("/ui/models/flight-arrival?measure=performance.mae&monitor=default-performance.mae")  # by day
    assert real.points("performance") > 80
    assert real.points("drift") > 80
    assert real.page.locator(".card.error").count() == 0
    expect(real.page.locator(".facts")).not_to_contain_text("too few")
    expect(real.page.locator(".card").first).to_contain_text(re.compile(r"Window of 2013-12-\d\d, the newest"))
    shots.take(real.page, "model")
    shots.take(real.page, "model-whole", whole=True)


@pytest.mark.parametrize(("column", "word"), [("temp", "Baseline"), ("dest", "Target")])
def test_a_column_against_its_reference(column: str, word: str, real: Window, shots: Shots) -> None:
    """Numbers and categories are drawn beside the reference, and their drift over time."""
    real.open(f"/ui/models/flight-delay/columns/{column}")
    assert real.points("distribution") > 10
    assert real.points("drift") > 20
    expect(real.page.locator("#distribution .legend").first).to_contain_text(word)
    assert real.page.locator(".card.error").count() == 0
    shots.take(real.page, f"column-{column}", whole=True)


def test_from_a_notice_to_the_single_event_and_through_the_pages(server: DemoServer) -> None:
    """By clicks, back, forward and a reload, without a complaint of the browser; with `WATCHKEEPER_TOUR` to every page, and along a link that was shared."""
    tour(server.url, "real")


@pytest.fixture(scope="module")
def found(server: DemoServer) -> Iterator[planted.Planted]:
    """A day in which a column fails for a carrier, and the webhooks about it."""
    with planted.planted(server.url) as made:
        yield made


def test_from_the_link_of_a_webhook_to_the_worst_flight_in_three_clicks(
    browser: Browser, server: DemoServer, found: planted.Planted, shots: Shots
) -> None:
    """The page that the link opens names the carrier and the column that failed; a click each on that slice, on its events and on the first of these open the flight with the largest error of the day."""
    with window(browser, server, size=(1440, 900)) as tab:
        page, worst = tab.page, max(found.flights, key=lambda one: one.loss)
        assert worst.broken
        page.goto(found.notice["data"]["url"])
        tab.drawn()
        where, what = (page.locator(f"section.card:has(h3:text-is('{title}')) .causes li") for title in ("Where", "What"))
        slice_ = f"carrier={planted.CARRIER},{planted.COLUMN}=null"
        expect(where.first.get_by_role("link")).to_have_text(slice_)
        expect(what.first.get_by_role("link").first).to_have_text(planted.COLUMN)
        expect(what.first).to_contain_text("null: ")
        shots.take(page, "planted-1-episode")
        where.first.get_by_role("link").click()
        expect(page.locator("section.card:has(h3:text-is('What'))")).to_contain_text(f"Within {slice_}")
        tab.drawn()
        shots.take(page, "planted-2-slice")
        page.get_by_role("link", name=f"all of {slice_}").click()
        rows = page.locator(".ag-row a")
        expect(rows.first).to_have_text(worst.prediction_id)
        expect(page.locator("main")).to_contain_text(f"{sum(one.broken for one in found.flights)} events, ")
        tab.drawn()
        shots.take(page, "planted-3-events")
        rows.first.click()
        expect(page.locator("h1")).to_have_text(worst.prediction_id)
        tab.drawn()
        expect(page.locator(".facts")).to_contain_text(word.number(worst.loss))
        expect(page.get_by_role("link", name="Back to the episode")).to_be_visible()
        shots.take(page, "planted-4-event")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_from_the_link_of_missing_values_to_the_worst_flight_in_two_clicks(
    browser: Browser, server: DemoServer, found: planted.Planted, size: tuple[int, int]
) -> None:
    """The page names the carrier and the flights whose column is missing, and no others; their largest errors, and of these the first, are a click each, on a telephone, too."""
    missing = {one.prediction_id: one for one in found.flights if one.temp is None}
    worst = max(missing.values(), key=lambda one: one.loss)
    with window(browser, server, size=size) as tab:
        page = tab.page
        page.goto(found.missing["data"]["url"])
        tab.drawn()
        rows = page.locator("p.next").filter(has_text=f"Rows where {planted.COLUMN} is null: ")
        expect(page.locator("section.card:has(h3:text-is('Where')) .causes li a").first).to_have_text(f"carrier={planted.CARRIER}")
        shown = rows.get_by_role("link").all_inner_texts()
        assert set(shown[:3]) <= missing.keys()
        assert shown[3:] == ["all of them", "their largest errors"]
        rows.get_by_role("link", name="their largest errors").click()
        first = page.locator(".ag-row a").first
        expect(first).to_have_text(worst.prediction_id)
        expect(page.locator("main")).to_contain_text(f"{len(missing)} events, ")
        error = page.locator(".ag-header-cell").filter(has_text="Error").bounding_box()
        assert error is not None
        assert error["x"] + error["width"] <= size[0]
        tab.drawn()
        first.click()
        expect(page.locator("h1")).to_have_text(worst.prediction_id)
        tab.drawn()
        expect(page.locator(".facts")).to_contain_text(word.number(worst.loss))
        own = page.locator("table").first.locator("tbody tr").first
        expect(own).to_contain_text(f"{planted.COLUMN} of the list's filter")
        expect(own).to_contain_text("null")
