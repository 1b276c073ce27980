"""The list of all episodes is complete, has filters, and is linked from the pages."""

from __future__ import annotations

import json
import re

import pytest
from plotly.io.json import to_json_plotly

from dashboard import late
from dashboard.route import page
from dashboard.site import LATE
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


async def worth(twin: Twin, *given: str) -> str:
    """What comes after the list."""
    return json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["worth", *given])))), ensure_ascii=False)


async def test_the_list_of_a_monitor_says_what_its_episodes_were_worth_and_a_link_looks_for_a_quieter_rule() -> None:
    """Other lists do not. Both come after the page; the back-test, which takes seconds, runs only where it is asked for, and its failure is told."""
    twin, address = Twin(), "?model=departs-late&monitor=input-drift"
    link = f"/ui/alerts{address}&quieter=true"
    for search, wanted in ((address, link), (f"{address}&quieter=true", ""), ("?model=departs-late", None)):
        shown = text(await page(twin, "/ui/alerts", search)).replace('\\\\"', '\\"')
        assert (f'[\\"worth\\", \\"departs-late\\", \\"input-drift\\", \\"{wanted}\\"]' in shown) == (wanted is not None)
        assert "were worth" not in shown.replace("were worth is counted", "")
    first = await worth(twin, "departs-late", "input-drift", link)
    assert ("What the episodes of input-drift were worth" in first, "by 12 notices" in first) == (True, True)
    assert (f'"{link}"' in first, "Would another rule" in first, "2 of 3" in first) == (True, True, False)
    looked = await worth(twin, "departs-late", "input-drift", "")
    assert "With `persist: 2 of 3` there would have been 4 episodes instead of 9" in looked
    assert "Would another rule" not in looked
    assert "these are 1,000,001 readings" in await worth(twin, "arrival-delay", "any", "")
    assert await worth(twin, "departs-late", "unknown", "") == "null"


async def test_a_list_is_shown_if_what_its_episodes_were_worth_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card says so, and the episodes are there."""
    twin = Twin()
    monkeypatch.setattr(twin, "worth", lambda *_: 1 / 0)
    assert "Fired (UTC)" in text(await page(twin, "/ui/alerts", "?model=departs-late&monitor=input-drift"))
    assert "Worth could not be drawn" in await worth(twin, "departs-late", "input-drift", "")
