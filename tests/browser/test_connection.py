"""A page whose server goes away says so, and goes on by itself once the server is back. A real server is stopped and started again."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Served, Window, window
from watchkeeper.client import Client
from watchkeeper.demo.server import DemoServer

pytestmark = pytest.mark.browser

DAYS, ROWS = 20, 250  # of events, and a day
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
PAGE = "/ui/models/late"
# What a browser itself says of a server that is not there.
EXPECTED = ("failed: ", "console error: Failed to load resource: net::ERR_")


class Machine:
    """A server with a model and twenty days of events, which can be ended and started on the same port."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._server = DemoServer(data).__enter__()
        self.url = self._server.url
        random = np.random.default_rng(1)
        with Client(self.url) as client:
            sink = io.BytesIO()
            pq.write_table(pa.table({"x": random.normal(size=2_000), "prediction": random.integers(0, 2, 2_000)}), sink)
            client.reference("late", sink.getvalue(), task="binary")
            sent = client.predictions(_event(day, row, x) for day in range(DAYS) for row, x in enumerate(random.normal(size=ROWS)))
            assert sent.rejected == 0
            client.wait(600)

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """A server that takes connections and answers nothing, for as long as this is held."""
        os.kill(self._server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._server.pid, signal.SIGCONT)

    def start(self) -> None:
        """Start it again where it was."""
        if not self._server.running:
            self._server = DemoServer(self._data, self._server.port).__enter__()

    def add(self) -> None:
        """One more event of the last day."""
        with Client(self.url) as client:
            client.predictions([_event(DAYS - 1, ROWS, 0.5)])
            client.wait(600)


def _event(day: int, row: int, x: float) -> dict[str, Any]:
    ts = FIRST + timedelta(days=day, seconds=row)
    return {"prediction_id": f"{day}-{row}", "model": "late", "ts": ts.isoformat(), "features": {"x": float(x)}, "prediction": row % 2}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The server, running."""
    made = Machine(tmp_path_factory.mktemp("connection") / "data")
    yield made
    made.stop()


@pytest.fixture
def alone(browser: Browser, machine: Machine) -> Iterator[Window]:
    """A tab on the server; what a browser says of a server that is away is no complaint, all else is."""
    machine.start()
    with window(browser, machine, zone="Pacific/Auckland") as tab:
        tab.page.set_default_timeout(60_000)
        yield tab
        tab.complaints = [complaint for complaint in tab.complaints if not complaint.startswith(EXPECTED)]


def poll(tab: Window) -> None:
    """Let the page ask for news now, as it does when it is seen again, and not in fifteen seconds."""
    tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


def test_one_failed_question_takes_the_green_away_and_the_page_comes_back_by_itself(alone: Window, machine: Machine) -> None:
    """The banner says since when; the page is dim and says nothing of its events' age; when the server is back it is drawn anew with what came meanwhile."""
    alone.open(PAGE)
    expect(alone.page.locator("#health")).to_contain_text("Newest event")
    machine.stop()
    before = datetime.now(UTC)
    poll(alone)
    banner = alone.page.get_by_role("alert")
    expect(banner).to_contain_text("trying again")
    assert any(f"No connection since {at:%Y-%m-%d %H:%M} UTC" in banner.inner_text() for at in (before, datetime.now(UTC)))
    expect(alone.page.locator("#health")).to_be_hidden()
    assert float(alone.page.locator("main > *").first.evaluate("(part) => getComputedStyle(part).opacity")) < 1
    machine.start()
    machine.add()
    expect(banner).to_be_hidden(timeout=180_000)
    expect(alone.page.locator(".title")).to_contain_text(f"{DAYS * ROWS + 1:,} predictions", timeout=180_000)
    expect(alone.page.locator("#health")).to_be_visible()
    alone.drawn()


# A page gives a question for news ten seconds; here one.
IMPATIENT = "{ const plain = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (time) => plain(time / 10); }"


def test_a_server_that_answers_nothing_is_away_too(alone: Window, machine: Machine) -> None:
    """The server takes a request and is stopped: the banner appears and a click waits; when the server continues, the page goes on with what was selected."""
    alone.page.add_init_script(IMPATIENT)
    alone.open(PAGE)
    with machine.hung():
        alone.page.get_by_role("link", name="30 days").click()
        poll(alone)
        expect(alone.page.get_by_role("alert")).to_contain_text("What was chosen has not been loaded", timeout=180_000)
        expect(alone.page.locator("#health")).to_be_hidden()
    expect(alone.page.get_by_role("alert")).to_be_hidden(timeout=180_000)
    alone.page.wait_for_url(f"{machine.url}{PAGE}?range=30d")
    alone.drawn()


@pytest.mark.parametrize("body", [False, True])
def test_a_first_load_that_is_never_answered_says_so(body: bool, browser: Browser, served: Served) -> None:
    """Neither what the page is made of nor news comes, or of the news a beginning: the page says so by itself, and is drawn when answers come."""
    with window(browser, served) as tab:
        tab.page.add_init_script(IMPATIENT)
        if body:  # the answer begins and does not end
            endless = "new Response(new ReadableStream({ start(control) { options.signal?.addEventListener('abort', () => control.error(options.signal.reason)); } }))"
            tab.page.add_init_script(
                f"window.hung = true; {{ const plain = window.fetch.bind(window); window.fetch = (path, options) =>"
                f" window.hung && path === '/v1/version' ? Promise.resolve({endless}) : plain(path, options); }}"
            )
        tab.page.clock.install()
        down = [True]
        tab.page.route(
            "**/*",
            lambda route: None if down[0] and ("_dash-layout" in route.request.url or "/v1/" in route.request.url) else route.fallback(),
        )
        with tab.page.expect_request("**/_dash-layout"):
            tab.page.goto(f"{served.url}/ui/models/departs-late?range=30d", wait_until="commit")
        tab.page.clock.fast_forward(15_000)
        expect(tab.page.get_by_role("alert")).to_contain_text("This page has not been loaded", timeout=180_000)
        down[0] = False
        tab.page.evaluate("() => { window.hung = false; document.getElementById('again')?.click(); }")
        expect(tab.page.locator("h1")).to_have_text("departs-late", timeout=180_000)
        tab.drawn()
        expect(tab.page.get_by_role("alert")).to_be_hidden()
        tab.complaints = [complaint for complaint in tab.complaints if not complaint.startswith(EXPECTED)]


def test_a_click_without_a_server_changes_neither_page_nor_address_until_it_is_back(alone: Window, machine: Machine) -> None:
    """The address is that of the page that is shown; the last of several clicks is what comes."""
    alone.open(PAGE)
    machine.stop()
    alone.page.get_by_role("link", name="30 days").click()
    expect(alone.page.get_by_role("alert")).to_contain_text("What was chosen has not been loaded")
    assert alone.page.url == f"{machine.url}{PAGE}"
    alone.page.get_by_role("link", name="7 days").click()
    assert alone.page.url == f"{machine.url}{PAGE}"
    expect(alone.page.locator("main")).to_have_attribute("aria-busy", "true")
    machine.start()
    alone.page.wait_for_url(f"{machine.url}{PAGE}?range=7d")
    expect(alone.page.get_by_role("alert")).to_be_hidden()
    expect(alone.page.locator("[aria-label=Period] [aria-current]")).to_have_text("7 days")
    alone.drawn()
    alone.page.go_back()
    expect(alone.page.locator("[aria-label=Period] [aria-current]")).to_have_text("90 days")
    alone.drawn()


def test_back_without_a_server_hides_the_page_of_another_address(alone: Window, machine: Machine) -> None:
    """The browser changes the address at once, so the page that is shown would belong to another address."""
    alone.open("/ui/models")
    alone.page.get_by_role("link", name="late").first.click()
    alone.page.wait_for_url(f"{machine.url}{PAGE}")
    alone.drawn()
    machine.stop()
    poll(alone)
    expect(alone.page.get_by_role("alert")).to_contain_text("What is shown is from before")
    alone.page.go_back()
    expect(alone.page.locator("h1")).to_be_hidden()
    expect(alone.page.get_by_role("alert")).to_contain_text("This page has not been loaded")
    machine.start()
    expect(alone.page.locator("h1")).to_have_text("Models", timeout=180_000)
    expect(alone.page.locator("h1")).to_be_visible()
    alone.drawn()


@pytest.mark.parametrize("step", ["_dash-layout", "_dash-dependencies", "_dash-update-component", "plotly.min", "dash_renderer"])
def test_a_first_load_that_fails_offers_again_and_goes_on_by_itself(step: str, tab: Window, served: Served) -> None:
    """Whichever request of the first load gets no answer: the page says so in place of a skeleton, and is drawn when it can be."""
    down = [True]
    tab.page.route(
        "**/*",
        lambda route: (
            route.abort("connectionrefused") if down[0] and (step in route.request.url or "/v1/" in route.request.url) else route.fallback()
        ),
    )
    tab.page.goto(f"{served.url}/ui/models/departs-late?range=30d", wait_until="commit")
    # Without its charts a page is drawn all the same: then it says of what is drawn that it is from before.
    said = re.compile("This page has not been loaded" + ("|What is shown is from before" if step == "plotly.min" else ""))
    expect(tab.page.get_by_role("alert")).to_contain_text(said, timeout=180_000)
    expect(tab.page.get_by_role("button", name="Try now")).to_be_visible()
    down[0] = False
    tab.page.evaluate("() => document.getElementById('again')?.click()")  # it may be back by itself, and the button gone
    expect(tab.page.locator("h1")).to_have_text("departs-late", timeout=180_000)
    tab.drawn()
    expect(tab.page.get_by_role("alert")).to_be_hidden()
    expected = (*EXPECTED, *(["page error: "] if step == "dash_renderer" else []))  # the scripts that need the one that did not come
    tab.complaints = [complaint for complaint in tab.complaints if not complaint.startswith(expected)]
