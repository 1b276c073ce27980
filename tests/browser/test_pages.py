"""Every page in both themes is drawn without errors, readable and accessible; its picture is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser

from dashboard.route import find
from dashboard.site import SITE
from tests.browser.accessible import COLOURS, LEVEL, violations
from tests.browser.conftest import Served, Shots, Window, profile

pytestmark = pytest.mark.browser

PAGES = {entry.path or "inbox": f"/ui/{entry.path}" for entry in SITE if "*" not in entry.path} | {
    "episode": "/ui/alerts/{episode}",
    "model": "/ui/models/departs-late?range=365d",
    "model-segment": "/ui/models/arrival-delay?segment=carrier%3DVX&measure=drift.js&by=carrier",
    "performance": "/ui/models/departs-late/performance?range=365d",
    "performance-regression": "/ui/models/arrival-delay/performance",
    "drift": "/ui/models/departs-late/drift?range=365d",
    "drift-segments": "/ui/models/departs-late/drift?by=carrier&measure=drift.ks&window=2013-07-08T00:00:00Z",
    "quality": "/ui/models/departs-late/quality?range=365d",
    "segments": "/ui/models/departs-late/segments?range=365d",
    "segments-selected": "/ui/models/departs-late/segments?range=30d&by=carrier&cells=%5B%222013-12-20T00:00:00Z%22%2C%222013-12-27T00:00:00Z%22%2C%22carrier%3DEV%22%5D",
    "compare": "/ui/models/departs-late/compare?target=1d",
    "compare-segments": "/ui/models/departs-late/compare?target=1d&version=1&b_segment=carrier%3DUA&b_version=2",
    "trust": "/ui/models/departs-late/trust",
    "retraining": "/ui/models/departs-late/retraining",
    "contracts": "/ui/models/departs-late/contracts",
    "fairness": "/ui/models/departs-late/fairness",
    "service": "/ui/models/departs-late/service?range=365d",
    "column": "/ui/models/departs-late/columns/temp?window=2013-07-08T00:00:00Z&range=365d",
    "column-categories": "/ui/models/departs-late/columns/carrier?range=365d",
    "column-computed": "/ui/models/departs-late/columns/temp?measure=drift.hellinger&segment=origin%3DJFK&window=2013-07-08T00:00:00Z",
    "model-without-events": "/ui/models/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "model-without-contract": "/ui/models/newcomer",
    "events": "/ui/models/departs-late/events?range=7d&column=temp&value=null&order=worst",
    "event": "/ui/models/departs-late/events/flight%2F0013?range=7d",
    "monitor-form": "/ui/monitor?model=departs-late&monitor=temp-moves&columns=temp&warn=0.1&baseline=same-weekday&timezone=America%2FNew_York",
    "search-found": "/ui/search?q=a",
    "episodes-of-monitor": "/ui/alerts?model=departs-late&monitor=input-drift",
    "unknown": "/ui/nowhere",
    "bad-state": "/ui/models/departs-late?range=ever&from=yesterday&segment=carrier%3DNOBODY",
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def test_every_page_is_opened_here() -> None:
    """A page that is added to the site needs an address in the list above."""
    opened = {found[0] for address in PAGES.values() if (found := find(address.split("?")[0])) is not None}
    assert opened == set(SITE)


@pytest.fixture(scope="module")
def pages(browser: Browser, served: Served) -> Iterator[Window]:
    """One tab for all pages: it compiles the scripts once."""
    with profile(browser, theme="light") as context:
        yield Window(context, served.url)


@pytest.mark.parametrize(("place", "name"), [*enumerate(PAGES)], ids=PAGES)
def test_a_page_is_drawn_and_accessible(place: int, name: str, pages: Window, served: Served, shots: Shots) -> None:
    """Each address is loaded by itself, half of them in each theme, without a complaint or a table that is cut, and axe finds nothing at level AA, nor after a change to the other theme."""
    episode = next(one.id for one in served.reader.episodes(None, None, 5000) if one.column == "temp" and one.segment == "all")
    first, other = THEMES if place % 2 == 0 else THEMES[::-1]
    pages.complaints.clear()
    pages.page.emulate_media(color_scheme=first)
    pages.open(PAGES[name].format(episode=episode))
    pages.page.wait_for_function("() => !document.querySelector('main [aria-busy=true]')", polling=100)  # what takes seconds has come
    pages.drawn()
    assert pages.page.locator(".card.error").count() == 0
    cut = "() => [...document.querySelectorAll('.scroll')].filter((table) => table.scrollWidth > table.clientWidth).length"
    assert pages.page.evaluate(cut) == 0
    for theme, only in ((first, LEVEL), (other, COLOURS)):
        pages.page.emulate_media(color_scheme=theme)
        pages.painted(theme)
        shots.take(pages.page, f"{name}-{theme}", whole=True)
        assert violations(pages.page, only) == []
    assert pages.complaints == []
