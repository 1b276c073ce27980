"""The list of all episodes is complete, has filters, and is linked from the pages."""

from __future__ import annotations

import re

import pytest

from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


async def _all(twin: Twin, address: str) -> list[str]:
    """The ids on the list at an address and on all that its link to older ones leads to."""
    seen: list[str] = []
    while address:
        shown = text(await page(twin, *(address.split("?", maxsplit=1)[0], "?" + address.partition("?")[2])))
        seen += re.findall(r'"/ui/alerts/([^"?]+)"', shown)
        older = re.search(r'"children": "Older"[^}]*?"href": "([^"]+)"', shown)
        address = older[1] if older else ""
    return seen


async def test_every_episode_can_be_reached_from_its_models_page(twin: Twin) -> None:
    """The page of the model leads to the list, and the list by its pages to each, once, newest first."""
    address = "/ui/alerts?model=departs-late"
    assert f'"{address}"' in text(await page(twin, "/ui/models/departs-late", ""))
    wanted = [one.id for one in twin.episodes(None, "departs-late", 100_000)]
    assert len(wanted) > 50
    assert await _all(twin, address) == wanted


async def test_the_list_narrows_by_state_model_and_monitor(twin: Twin) -> None:
    """Each is a part of the address, and a link undoes it."""
    shown = await _all(twin, "/ui/alerts?state=open&model=departs-late&monitor=input-drift")
    assert shown == [one.id for one in twin.episodes("open", "departs-late", 100_000) if one.monitor == "input-drift"]
    drawn = text(await page(twin, "/ui/alerts", "?state=open&model=departs-late&monitor=input-drift"))
    assert '"/ui/alerts?state=open&model=departs-late"' in drawn


async def test_a_link_to_no_page_of_the_list_says_so(twin: Twin) -> None:
    """A cursor that is none, and a state that is none."""
    assert "not in the list" in text(await page(twin, "/ui/alerts", "?after=nonsense"))
    assert len(await _all(twin, "/ui/alerts?state=strange&model=arrival-delay")) == len(twin.episodes(None, "arrival-delay", 100_000))


async def test_the_inbox_leads_to_all_episodes(twin: Twin) -> None:
    """Those that are open, and all."""
    shown = text(await page(twin, "/ui/", ""))
    assert '"/ui/alerts?state=open"' in shown
    assert '"/ui/alerts"' in shown


async def test_the_list_of_a_monitor_says_what_its_episodes_were_worth_and_a_link_looks_for_a_quieter_rule() -> None:
    """Other lists do not; the back-test, which takes seconds, runs only where it is asked for, and its failure is told."""
    twin, address = Twin(), "?model=departs-late&monitor=input-drift"
    shown = text(await page(twin, "/ui/alerts", address))
    assert ("What the episodes of input-drift were worth" in shown, "by 12 notices" in shown) == (True, True)
    assert (f'"/ui/alerts{address}&quieter=true"' in shown, "Would another rule" in shown, "2 of 3" in shown) == (True, True, False)
    assert "were worth" not in text(await page(twin, "/ui/alerts", "?model=departs-late"))
    looked = text(await page(twin, "/ui/alerts", f"{address}&quieter=true"))
    assert ("With `persist: 2 of 3` there would have been 4 episodes instead of 9" in looked, "Would another rule" in looked) == (
        True,
        False,
    )
    other = next(one.monitor for one in twin.episodes(None, "arrival-delay", 1))
    assert "these are 1,000,001 readings" in text(await page(twin, "/ui/alerts", f"?model=arrival-delay&monitor={other}&quieter=true"))


async def test_a_list_is_shown_if_what_its_episodes_were_worth_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card says so, and the episodes are there."""
    twin = Twin()
    monkeypatch.setattr(twin, "worth", lambda *_: 1 / 0)
    shown = text(await page(twin, "/ui/alerts", "?model=departs-late&monitor=input-drift"))
    assert ("Worth could not be drawn" in shown, "Fired (UTC)" in shown) == (True, True)
