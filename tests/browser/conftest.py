"""A served dashboard, and a browser whose errors make a test fail."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvicorn
from fastapi import FastAPI, Response
from fastapi import Request as Asked
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from core.principal import Principal, Role
from dashboard.mount import mount
from tests.dashboard.twin import Twin

# The one without windows takes a fifth less CPU.
_PLACES = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
CHROMIUM = os.environ.get("WATCHKEEPER_CHROMIUM") or next((place for place in _PLACES if Path(place).exists()), _PLACES[-1])
# Keeps the browser off the network for good; only the literal address resolves.
ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--process-per-site",  # tabs of one context share a process, and with it what it has compiled
]
_OFTEN = 100  # milliseconds between two looks at a page: without this a look is taken, and a frame painted, sixty times a second
expect.set_options(timeout=180_000)  # milliseconds: five seconds are no patience on a loaded machine


class Addressed(Protocol):
    """Something that is served at an address."""

    url: str


class Served:
    """A dashboard over the twin: its address, its reader, and the version that pages poll."""

    def __init__(self) -> None:
        self.reader = Twin()
        self.version = "1"
        self.url = ""

    def api(self) -> FastAPI:
        """The application: the version that is polled, readings as JSON, the dashboard."""

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> Any:
            await warm({})
            yield

        api = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

        @api.get("/v1/version")
        async def version(asked: Asked) -> Response:
            tag = f'"{self.version}"'
            if asked.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers={"etag": tag})
            return Response(f'{{"version": "{self.version}"}}', media_type="application/json", headers={"etag": tag})

        @api.get("/v1/{rest:path}")
        async def rest(rest: str) -> Response:
            return Response("{}", status_code=404, media_type="application/problem+json")

        warm = mount(api, self.reader, who=lambda _: Principal("", Role.ADMIN))
        return api


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """The dashboard on a free port of loopback. One a process: Dash's callbacks are global."""
    made = Served()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(made.api(), log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until = time.monotonic() + 300
    while not server.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.02)
    yield made
    server.should_exit = True
    thread.join(300)
    listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless. Without one the journeys are skipped, or fail where nothing may be skipped."""
    if not Path(CHROMIUM).exists() and os.environ.get("WATCHKEEPER_REQUIRE_SERVICES") != "1":
        pytest.skip(f"no Chromium at {CHROMIUM}; set WATCHKEEPER_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Window:
    """A tab that remembers every complaint: console, page errors, failed or foreign requests, statuses from 400."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.url = url
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        self.page.on("request", lambda request: self._request(request.url))
        self.page.on("response", lambda answer: self.complaints.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)

    def _console(self, kind: str, text: str) -> None:
        if kind in {"error", "warning", "assert"}:
            self.complaints.append(f"console {kind}: {text}")

    def _failed(self, url: str, why: str) -> None:
        if why != "net::ERR_ABORTED":  # the browser left the page before the answer came
            self.complaints.append(f"failed: {url} {why}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"foreign: {url}")

    def open(self, path: str) -> None:
        """Go to an address and wait until its page is drawn."""
        self.page.goto(self.url + path)
        self.drawn()

    def drawn(self) -> None:
        """Wait until there is a page, its charts are drawn and no answer is awaited."""
        self.page.wait_for_function(
            "() => document.querySelector('main h1, main .empty') && !document.querySelector('main .skeleton') && !document.querySelector('[data-dash-is-loading], :root[data-busy]')"
            " && [...document.querySelectorAll('main .chart')].every((chart) => chart.querySelector('.main-svg'))",
            polling=_OFTEN,
        )
        self.page.wait_for_load_state("networkidle")

    def painted(self, theme: str) -> None:
        """Wait until page and charts have the colours of a theme."""
        self.page.wait_for_function(
            "(theme) => document.documentElement.dataset.mantineColorScheme === theme && document.documentElement.style.colorScheme === theme"
            " && !document.getAnimations().some((one) => one instanceof CSSTransition)",
            arg=theme,
            polling=_OFTEN,
        )
        self.drawn()

    def points(self, chart: str) -> int:
        """How many points of a chart hold a value."""
        count: int = self.page.evaluate(
            "(id) => document.querySelector(`#${id} .js-plotly-plot, #${id}.js-plotly-plot`)._fullData"
            ".flatMap((trace) => Array.from(trace.z ? trace.z.flat() : trace.orientation === 'h' ? trace.x : trace.y))"
            ".filter((value) => value !== null && value !== undefined && Number(value)).length",
            chart,
        )
        return count


@contextmanager
def profile(
    browser: Browser, *, theme: Any, size: tuple[int, int] = (1280, 900), zone: str = "America/New_York"
) -> Iterator[BrowserContext]:
    """A browser without a past, in a theme. Its tabs share what it has loaded."""
    context = browser.new_context(color_scheme=theme, viewport={"width": size[0], "height": size[1]}, timezone_id=zone, locale="en-GB")
    try:
        context.set_default_timeout(180_000)
        yield context
    finally:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")  # a request that waits for its route would keep the context from closing
        context.close()


@contextmanager
def window(
    browser: Browser, served: Addressed, *, theme: Any = "light", size: tuple[int, int] = (1280, 900), zone: str = "America/New_York"
) -> Iterator[Window]:
    """A tab of its own, in a theme; leaving it fails on any complaint."""
    with profile(browser, theme=theme, size=size, zone=zone) as context:
        tab = Window(context, served.url)
        yield tab
        assert tab.complaints == []


@pytest.fixture(scope="module")
def shared(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    """A browser in the light theme, for the tabs of a module: scripts are fetched and compiled once."""
    with profile(browser, theme="light") as context:
        context.new_page().goto(f"{served.url}/v1/version")  # stays open, or the process would end with each test's tab
        yield context


@pytest.fixture
def tab(shared: BrowserContext, served: Served) -> Iterator[Window]:
    """A tab in the light theme, of a person who has not been here before."""
    made = Window(shared, served.url)
    try:
        yield made
        assert made.complaints == []
    finally:
        made.page.unroute_all(behavior="ignoreErrors")
        shared.new_cdp_session(made.page).send("Storage.clearDataForOrigin", {"origin": made.url, "storageTypes": "local_storage"})
        made.page.close()


class Shots:
    """Takes pictures of pages, if `WATCHKEEPER_SCREENSHOTS` names a folder for them; nothing is asserted of a picture."""

    def __init__(self) -> None:
        self._folder = os.environ.get("WATCHKEEPER_SCREENSHOTS")

    def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """Save what the tab shows, or the `whole` page, as `name`.png."""
        if self._folder:
            page.screenshot(path=Path(self._folder) / f"{name}.png", full_page=whole)


@pytest.fixture(scope="session")
def shots() -> Shots:
    """Takes pictures, if they are wanted."""
    return Shots()
