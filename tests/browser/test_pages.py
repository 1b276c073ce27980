"""Every page in both themes is drawn without errors, readable and accessible; its picture is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext

from dashboard.route import find
from dashboard.site import SITE
from tests.browser.conftest import Served, Window, profile

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
    "compare": "/ui/models/departs-late/compare",
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
    "unknown": "/ui/nowhere",
    "bad-state": "/ui/models/departs-late?range=ever&from=yesterday&segment=carrier%3DNOBODY",
}
# What axe looks at, by theme: the second theme has the same page in other colours.
RULES: dict[str, Any] = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


def test_every_page_is_opened_here() -> None:
    """A page that is added to the site needs an address in the list above."""
    opened = {found[0] for address in PAGES.values() if (found := find(address.split("?")[0])) is not None}
    assert opened == set(SITE)


@pytest.fixture(scope="module", params=RULES)
def themed(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[str, BrowserContext]]:
    """A theme and a browser in it, of which each page gets a tab: the scripts are loaded once."""
    with profile(browser, theme=request.param) as context:
        yield request.param, context


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_and_accessible(name: str, themed: tuple[str, BrowserContext], served: Served, shots: Path) -> None:
    """Each address works as the first of a tab, without a complaint or a table that is cut, and axe finds nothing at level AA."""
    theme, context = themed
    episode = next(one.id for one in served.reader.episodes(None, None, 5000) if one.column == "temp" and one.segment == "all")
    tab = Window(context, served.url)
    tab.open(PAGES[name].format(episode=episode))
    assert tab.page.locator(".card.error").count() == 0
    assert (
        tab.page.evaluate("() => [...document.querySelectorAll('.scroll')].filter((table) => table.scrollWidth > table.clientWidth).length")
        == 0
    )
    tab.page.screenshot(path=shots / f"{name}-{theme}.png", full_page=True)
    found = Axe().run(tab.page, options={"runOnly": RULES[theme]})
    violations = [(one["id"], [node["target"] for node in one["nodes"]][:4]) for one in found.response["violations"]]
    assert violations == []
    tab.page.close()
    assert tab.complaints == []
