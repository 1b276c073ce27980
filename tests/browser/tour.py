"""A walk through a server that has real data: by clicks from a notice to the single event, to every page in both themes and two sizes, and along a link that was shared."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from core.segment import ALL
from dashboard.site import SITE, PageEntry
from dashboard.state import address
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Shots, Window, profile, window
from watchkeeper.client import Client

SIZES = ((1440, 900), (390, 844))
ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
# A bin in which there are events: the fifth cell of its row is their number.
_BIN = "section.card:has(h2:text-matches('^Distribution')) tbody tr:has(td:nth-child(5):text-matches('[1-9]')) a"
_SAID = "() => document.querySelector('main').innerText"


@dataclass
class Place:
    """A server by its address."""

    url: str


class Way(NamedTuple):
    """The addresses of a way by clicks: of the episode, the column, the events of a bin, and one of these."""

    episode: str
    column: str
    events: str
    event: str


_FEW = ("", "models", "models/*", "models/*/drift", "models/*/segments", "monitors", "pipeline")  # pages of a short walk


def tour(url: str, name: str, *, whole: bool = bool(os.environ.get("WATCHKEEPER_TOUR"))) -> None:
    """Walk through the server at `url`; `name` begins the names of its pictures. One that is not `whole` takes the way by clicks and draws a few pages once."""
    if not Path(CHROMIUM).exists() and os.environ.get("WATCHKEEPER_REQUIRE_SERVICES") != "1":
        pytest.skip(f"no Chromium at {CHROMIUM}; set WATCHKEEPER_CHROMIUM")
    with ThreadPoolExecutor(1) as alone:  # since a browser of other tests may be under way in this thread
        alone.submit(_walk, url, name, whole=whole).result()


def _walk(url: str, name: str, *, whole: bool) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with window(browser, Place(url), size=SIZES[0]) as tab:
            found = by_clicks(tab, _episode(url), Shots(), name)
            _pages(tab, found, Shots(), name, whole=whole)
        if whole:
            _share(browser, Place(url), [found.episode, found.column, found.events])
        browser.close()


def _episode(url: str) -> dict[str, Any]:
    """The newest episode of drift of a feature over all traffic."""
    with Client(url) as client:
        found = [one for one in client.episodes() if one["column"] and one["segment"] == ALL and one["measure"].startswith("drift.")]
    own = [one for one in found if not one["column"].startswith("@")]
    assert own, "no feature has drifted"
    return min(own, key=lambda one: one["measure"] != "drift.psi")  # the first of them: its value has bins


def by_clicks(tab: Window, one: dict[str, Any], shots: Shots, name: str) -> Way:
    """From the link of a notice to a single event in three clicks, back, forward and a reload."""
    page = tab.page
    tab.open(address("alerts", one["id"]))
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    shots.take(page, f"{name}-1-episode")
    seen = [page.url]
    steps = (("section.card:has(h3:text-is('What')) .causes a", False), (_BIN, True), (".ag-row a", False))
    for step, (link, listed) in enumerate(steps, start=2):
        page.locator(link).first.click()
        page.wait_for_function("(before) => location.href !== before", arg=seen[-1])
        if listed:
            expect(page.locator(".ag-row a").first).to_be_visible()
        tab.drawn()
        assert page.locator(".card.error").count() == 0
        shots.take(page, f"{name}-{step}")
        seen.append(page.url)
    for to in reversed(seen[:-1]):
        page.go_back()
        _at(tab, to)
    page.go_forward()
    _at(tab, seen[1])
    before = page.evaluate(_SAID)
    page.reload()
    _at(tab, seen[1])
    assert page.evaluate(_SAID) == before
    return Way(*(one.removeprefix(tab.url) for one in seen))


def _at(tab: Window, url: str) -> None:
    """The page of an address is there."""
    tab.page.wait_for_url(url)
    tab.page.wait_for_function("() => !document.querySelector(':root[data-busy]')")
    tab.drawn()


def _pages(tab: Window, found: Way, shots: Shots, name: str, *, whole: bool) -> None:
    """Every page: nothing fails and nothing is wider than the screen."""
    model = found.column.split("?")[0].removeprefix(address("models")).split("/")[1]
    for entry in SITE if whole else (one for one in SITE if one.path in _FEW):
        tab.open(_address(entry, model, found))
        tab.page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
        for theme in ("light", "dark") if whole else ("light",):
            tab.page.emulate_media(color_scheme=theme)
            for size in SIZES if whole else SIZES[:1]:
                tab.page.set_viewport_size({"width": size[0], "height": size[1]})
                tab.painted(theme)
                if said := _complaint(tab.page, size[0]):
                    raise AssertionError(f"{entry.path}, {theme}, {size[0]} pixels: {said}")
                shots.take(tab.page, f"{name}-{entry.path.replace('/', '-').replace('*', 'one') or 'inbox'}-{theme}-{size[0]}", whole=True)


def _address(entry: PageEntry, model: str, found: Way) -> str:
    """The address of a page of the model, column, event or episode of the path."""
    own = {"alerts/*": found.episode, "models/*/columns/*": found.column, "models/*/events": found.events, "models/*/events/*": found.event}
    return own.get(entry.path) or address(*entry.filled([model])) + entry.search


def _complaint(page: Page, width: int) -> str:
    """What is wrong with what is shown."""
    if errors := page.locator(".card.error").all_inner_texts():
        return f"failed: {errors}"
    beyond = "(width) => [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > width && !one.closest('.scroll, .js-plotly-plot, .ag-root-wrapper')).slice(0, 3).map((one) => one.outerHTML.slice(0, 150))"
    try:  # a grid takes the new size of its window a moment later
        page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
    except Error:
        return f"{page.evaluate('() => document.documentElement.scrollWidth')} pixels wide: {page.evaluate(beyond, width)}"
    return ""


def _share(browser: Browser, place: Place, links: list[str]) -> None:
    """A link shows the same in fresh browsers of four time zones."""
    said: dict[str, set[str]] = {link: set() for link in links}
    for zone in ZONES:
        with profile(browser, theme="light", zone=zone) as context:
            tab = Window(context, place.url)
            for link in links:
                tab.open(link)
                tab.page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
                said[link].add(tab.page.evaluate(_SAID))
            assert tab.complaints == []
    assert {link: len(texts) for link, texts in said.items()} == dict.fromkeys(links, 1)
